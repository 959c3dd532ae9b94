"""An artifact on this machine: as a shared library, or as a program under sanitizers."""

from __future__ import annotations

import _ctypes
import ctypes
import os
import shutil
import subprocess
import sys
import tempfile
import weakref
from pathlib import Path, PurePosixPath

import numpy as np

from netsuke.codegen import Artifact
from netsuke.devices.host import WIDE, host_isa
from netsuke.errors import MissingToolError, VerificationError
from netsuke.ir import Array, Graph
from netsuke.verify.driver import DRIVER, driver, main_program
from netsuke.verify.image import Image
from netsuke.verify.project import Project, open_project
from netsuke.verify.samples import empty_outputs, stored_samples
from netsuke.verify.toolchain import (
    LANGUAGE,
    SANITIZE,
    TIMEOUT,
    compile_objects,
    host_compiler,
    host_flags,
    link,
    sanitizing_compiler,
)

MAIN = PurePosixPath("netsuke_main.c")
SUFFIX = {"win32": ".dll", "darwin": ".dylib"}.get(sys.platform, ".so")


class HostLibrary:
    """An artifact's C, compiled for this machine and ready to run whole test sets.

    Parameters
    ----------
    artifact
        An artifact, the folder it was written to, or an open project.
    sanitize
        Run it as a program under address and undefined-behaviour sanitizers (slower; every
        misstep is an error).
    compiler
        Name of a compiler (``gcc``, ``clang``, ``zig``), or None for the first that is there.

    Raises
    ------
    VerificationError
        When a compiler refuses the C.
    MissingToolError
        When there is no compiler, or none with sanitizers.
    """

    def __init__(
        self,
        artifact: Artifact | Project | Path | str,
        sanitize: bool = False,
        compiler: str | None = None,
    ) -> None:
        project = artifact if isinstance(artifact, Project) else open_project(artifact)
        self.graph: Graph = project.graph
        self.instructions: tuple[int, ...] = ()
        self.stack: int | None = None
        self.image: Image | None = None
        self.sanitize = sanitize
        files = {**project.sources, DRIVER: driver(project.graph)}
        self._plain = _missing(project)
        if sanitize:
            self._build_program(files, compiler)
        else:
            self._build_library(files, compiler)

    def _build_library(self, files: dict[PurePosixPath, bytes], name: str | None) -> None:
        self.compiler = host_compiler(name)
        self.flags = (*host_flags(self.compiler), *self._plain)
        objects = compile_objects(self.compiler, self.flags, files)
        shared = [*self.flags, "-shared", *(["-nostdlib"] if self.compiler.family == "zig" else [])]
        self.path = link(self.compiler, shared, objects, SUFFIX, "the host library")
        # The model's state is static: a private copy gives every HostLibrary its own.
        handle, private = tempfile.mkstemp(suffix=SUFFIX, prefix="netsuke-")
        os.close(handle)
        try:
            shutil.copyfile(self.path, private)
            self._library = ctypes.CDLL(private)
        except OSError as error:
            raise VerificationError("the host library", f"cannot be loaded: {error}") from None
        finally:
            if sys.platform != "win32":
                os.unlink(private)
        self._library.netsuke_run.restype = None
        if sys.platform != "win32":
            weakref.finalize(self, _ctypes.dlclose, self._library._handle)

    def _build_program(self, files: dict[PurePosixPath, bytes], name: str | None) -> None:
        found = host_compiler(name) if name else sanitizing_compiler()
        if found is None:
            raise MissingToolError(
                "gcc or clang with sanitizers", "to sanitize generated C", "apt install gcc"
            )
        self.compiler = found
        self.flags = (*LANGUAGE, "-O1", *SANITIZE, *self._plain)
        files = {**files, MAIN: main_program(self.graph)}
        objects = compile_objects(found, self.flags, files)
        self.path = link(found, self.flags, objects, ".exe", "the sanitized program")

    def run(self, *arrays: Array) -> tuple[Array, ...]:
        """Run samples and return the outputs.

        Parameters
        ----------
        arrays
            One ``(n, *shape)`` an input, of its stored type.

        Returns
        -------
        tuple
            One ``(n, *shape)`` an output, of its stored type.

        Raises
        ------
        UsageError
            When an array has another shape or type.
        VerificationError
            When a sanitizer stops the program; its words are in the error.
        """
        count, inputs = stored_samples(self.graph, arrays)
        if self.sanitize:
            return self._run_program(count, inputs)
        outputs = empty_outputs(self.graph, count)
        self._library.netsuke_run(
            ctypes.c_uint32(count), _pointers(inputs), _pointers(list(outputs))
        )
        return outputs

    def _run_program(self, count: int, inputs: list[Array]) -> tuple[Array, ...]:
        with tempfile.TemporaryDirectory(prefix="netsuke-run-") as folder:
            source, result = Path(folder) / "inputs", Path(folder) / "outputs"
            with source.open("wb") as file:
                for sample in range(count):
                    for array in inputs:
                        file.write(array[sample].tobytes())
            command = [str(self.path), str(count), str(source), str(result)]
            try:
                done = subprocess.run(command, capture_output=True, timeout=TIMEOUT, check=False)
            except subprocess.TimeoutExpired:
                raise VerificationError("sanitizers", f"did not end in {TIMEOUT:g} s") from None
            if done.returncode:
                words = done.stderr.decode(errors="replace").strip().splitlines()
                shown = "\n".join(words[:25]) or f"exit status {done.returncode}"
                raise VerificationError("sanitizers", f"stopped the generated C:\n{shown}")
            return split_outputs(self.graph, count, result.read_bytes())


def _missing(project: Project) -> tuple[str, ...]:
    """What makes kernels plain C, where this machine lacks instructions of the device's."""
    return ("-DNSK_PLAIN",) if (project.core[1] & WIDE) - host_isa() else ()


def split_outputs(graph: Graph, count: int, data: bytes) -> tuple[Array, ...]:
    """Outputs from bytes that hold them sample by sample, port by port.

    Raises
    ------
    VerificationError
        When there are not exactly as many bytes as there should be.
    """
    sizes = [graph.tensors[name].size for name in graph.outputs]
    if len(data) != count * sum(sizes):
        raise VerificationError(
            graph.name, f"wrote {len(data):,} B of output, not {count * sum(sizes):,} B"
        )
    rows = np.frombuffer(data, np.uint8).reshape(count, sum(sizes))
    outputs, start = [], 0
    for name, size in zip(graph.outputs, sizes, strict=True):
        tensor = graph.tensors[name]
        part = np.ascontiguousarray(rows[:, start : start + size])
        outputs.append(part.view(tensor.dtype).reshape(count, *tensor.shape))
        start += size
    return tuple(outputs)


def _pointers(arrays: list[Array]) -> ctypes.Array[ctypes.c_void_p]:
    return (ctypes.c_void_p * max(1, len(arrays)))(*(array.ctypes.data for array in arrays))
