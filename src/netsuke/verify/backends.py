"""The places where an artifact can run, behind one face."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Sequence
from typing import Protocol

from netsuke.errors import MissingToolError, UsageError
from netsuke.ir import Array
from netsuke.verify.a64 import A64Model
from netsuke.verify.avr import is_avr
from netsuke.verify.cores import core
from netsuke.verify.host import HostLibrary
from netsuke.verify.image import Image
from netsuke.verify.project import Project
from netsuke.verify.qemu import PROGRAM, QemuModel, qemu_version
from netsuke.verify.rv32 import Rv32Model
from netsuke.verify.simavr import SimavrModel, simavr_version
from netsuke.verify.toolchain import Compiler
from netsuke.verify.unicorn import UnicornModel, unicorn_version


class Backend(Protocol):
    """A place where an artifact runs.

    Attributes
    ----------
    compiler, flags
        What built it, and how.
    instructions
        Executed instructions of each inference of the last run; empty where nothing counts.
    stack
        Bytes of stack taken, or None where nothing measures.
    image
        The linked image of a bare-metal target, or None.
    """

    @property
    def compiler(self) -> Compiler: ...

    @property
    def flags(self) -> Sequence[str]: ...

    @property
    def instructions(self) -> Sequence[int]: ...

    @property
    def stack(self) -> int | None: ...

    @property
    def image(self) -> Image | None: ...

    def run(self, *arrays: Array) -> tuple[Array, ...]: ...


def _unicorn(project: Project) -> type[UnicornModel]:
    core = project.emulated_core()
    return A64Model if core.a64 else Rv32Model if core.rv32 else UnicornModel


_BACKENDS: dict[str, Callable[[Project, str | None], Backend]] = {
    "host": lambda project, compiler: HostLibrary(project),
    "sanitizers": lambda project, compiler: HostLibrary(project, sanitize=True),
    "unicorn": lambda project, compiler: _unicorn(project)(project, compiler=compiler),
    "qemu": lambda project, compiler: QemuModel(project, compiler=compiler),
    "simavr": lambda project, compiler: SimavrModel(project),
}

BACKENDS = tuple(_BACKENDS)


def open_backend(name: str, project: Project, compiler: str | None = None) -> Backend:
    """Build an artifact for a place; `compiler` is the cross compiler (``zig`` by default).

    Raises
    ------
    UsageError
        When there is no such place.
    MissingToolError
        When a tool that it needs is not installed.
    """
    if name not in _BACKENDS:
        raise UsageError(f"{name!r} is no place to run; there are {', '.join(BACKENDS)}")
    return _BACKENDS[name](project, compiler)


def usable_backends(project: Project) -> tuple[str, ...]:
    """The host, and the emulator that has the artifact's core (Unicorn, else QEMU; simavr).

    An AVR is always verified in simavr: who lacks it learns what to install.
    """
    if is_avr(project.core[0]):
        return ("host", "simavr")
    try:
        target = core(*project.core)
    except UsageError:
        return ("host",)
    if target.unicorn is not None or target.rv32:
        return ("host", "unicorn")
    return ("host", "qemu") if target.machine and shutil.which(PROGRAM) else ("host",)


def emulator_version(name: str) -> str | None:
    """What the emulator behind a place says of itself, or None where there is none."""
    try:
        if name == "unicorn":
            return unicorn_version()
        if name == "simavr":
            return simavr_version()
        return qemu_version() if name == "qemu" else None
    except MissingToolError:
        return None
