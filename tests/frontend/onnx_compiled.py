"""Many small models in one shared library: each is compiled to C by netsuke, all by one compiler.

Models stand in a few translation units, one behind the other, their names made different by a
prefix; kernels are compiled once. So a compiler starts dozens of times, not hundreds.
"""

from __future__ import annotations

import ctypes
import re
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from netsuke.codegen import compile_graph
from netsuke.codegen.artifact import Artifact
from netsuke.devices import device
from netsuke.ir import Array, Graph
from netsuke.verify.toolchain import host_compiler

_FLAGS = ["-std=c99", "-O0", "-w", "-fPIC", "-ffp-contract=off"]
_MODELS_IN_A_UNIT = 24
_OWN_INCLUDE = re.compile(r'#include "model(_data)?.h"\n')
_NAME = re.compile(r"\b(model|node|MODEL)(?=_|[0-9])")
_FOLDERS = ["-I.", "-Ikernels"]
BOARD = "nucleo-h743zi"


@dataclass(frozen=True)
class Compiled:
    """One model of the library."""

    graph: Graph
    library: ctypes.CDLL
    prefix: str

    def run(self, feeds: Mapping[str, Array]) -> dict[str, Array]:
        """One sample through the C."""
        into = self._function("input", ctypes.c_void_p)
        out = self._function("output", ctypes.c_void_p)
        for index, name in enumerate(self.graph.inputs):
            data = np.ascontiguousarray(feeds[name])
            ctypes.memmove(into(index), data.ctypes.data, data.nbytes)
        self._function("invoke", None)()
        results = {}
        for index, name in enumerate(self.graph.outputs):
            tensor = self.graph.tensors[name]
            value = np.empty(tensor.shape, tensor.dtype)
            ctypes.memmove(value.ctypes.data, out(index), value.nbytes)
            results[name] = value
        return results

    def _function(self, name: str, result: type | None) -> ctypes._FuncPointer:
        function = getattr(self.library, f"{self.prefix}_model_{name}")
        function.restype = result
        return function


def compile_all(graphs: Sequence[Graph]) -> list[Compiled]:
    """Compile graphs for the host, in two calls of the compiler."""
    board = device(BOARD)
    artifacts = [compile_graph(graph, board) for graph in graphs]
    texts = [_with_prefix(artifact, f"m{n}") for n, artifact in enumerate(artifacts)]
    kernels = {
        str(path): content
        for artifact in artifacts
        for path, content in artifact.files.items()
        if path.parts[0] == "kernels"
    }
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        (root / "kernels").mkdir()
        for name, content in kernels.items():
            (root / name).write_bytes(content)
        sources = [name for name in kernels if name.endswith(".c")]
        for start in range(0, len(texts), _MODELS_IN_A_UNIT):
            sources.append(f"models{start}.c")
            (root / sources[-1]).write_text("".join(texts[start : start + _MODELS_IN_A_UNIT]))
        library = root / "all.so"
        command = [*host_compiler().command, *_FLAGS, "-shared", *_FOLDERS, *sources, "-o", library]
        done = subprocess.run(command, cwd=root, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr[:3000]
        loaded = ctypes.CDLL(str(library))
    return [Compiled(graph, loaded, f"m{number}") for number, graph in enumerate(graphs)]


def _with_prefix(artifact: Artifact, prefix: str) -> str:
    """A model's tables and code in one text, with a prefix on all its names."""
    files = {path.name: content for path, content in artifact.files.items()}
    code = files["model.c"].decode()
    text = files["model_data.h"].decode() + _OWN_INCLUDE.sub("", code)
    return _NAME.sub(lambda match: f"{prefix}_{match[1]}", text)
