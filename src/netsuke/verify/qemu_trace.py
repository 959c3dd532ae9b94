"""How often each instruction ran on a board of QEMU, noted by a plugin."""

from __future__ import annotations

import functools
import tempfile
from collections.abc import Sequence
from pathlib import Path, PurePosixPath

import numpy as np

from netsuke.errors import MissingToolError, VerificationError
from netsuke.ir import Array
from netsuke.verify.host import SUFFIX
from netsuke.verify.qemu import QemuModel
from netsuke.verify.toolchain import compile_objects, host_compiler, host_flags, link
from netsuke.verify.trace import Executed, executed


def trace_qemu(model: QemuModel, inputs: Sequence[Array]) -> list[Executed]:
    """Run samples with the plugin and return what ran in the model's own code.

    Raises
    ------
    MissingToolError
        When no compiler can make the plugin.
    VerificationError
        When this QEMU does not take it.
    """
    image = model.image
    base = image.memory.flash
    end = max(a + len(data) for a, data in image.segments if a >= base)
    with tempfile.TemporaryDirectory(prefix="netsuke-trace-") as folder:
        out = Path(folder) / "counts"
        plugin = f"{_plugin()},base={base:#x},bytes={end - base},out={out}"
        model.options = ("-plugin", plugin)
        try:
            model.run(*inputs)
        finally:
            model.options = ()
        if not out.is_file():
            raise VerificationError("qemu", "does not take the plugin that traces")
        counts = np.frombuffer(out.read_bytes(), np.uint64).reshape(3, -1)
    return list(executed(image, base, counts))


@functools.cache
def _plugin() -> Path:
    compiler = host_compiler()
    if compiler.family == "zig":  # its linker refuses symbols that only QEMU has
        raise MissingToolError("A C compiler", "to trace in QEMU", "apt install gcc")
    source = (Path(__file__).parent / "qemu_trace.c").read_bytes()
    flags = host_flags(compiler)
    objects = compile_objects(compiler, flags, {PurePosixPath("qemu_trace.c"): source})
    return link(compiler, [*flags, "-shared"], objects, SUFFIX, "the plugin")
