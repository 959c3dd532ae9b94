"""What is installed on this machine, what it is for, and how to get what is missing."""

from __future__ import annotations

import importlib.util
import shutil
from dataclasses import asdict, dataclass
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from netsuke.errors import MissingToolError
from netsuke.verify.avr import COMPILER
from netsuke.verify.avr import INSTALL as AVR_INSTALL
from netsuke.verify.qemu import INSTALL, PROGRAM, qemu_version
from netsuke.verify.simavr import simavr_version
from netsuke.verify.toolchain import (
    find_compiler,
    host_compiler,
    sanitizing_compiler,
    target_compiler,
)


@dataclass(frozen=True, slots=True)
class Tool:
    """One tool.

    Attributes
    ----------
    name, purpose
        What it is, and what it is for.
    found, version
        Whether it is here, and what it says of itself (empty when it is not).
    install
        A command that installs it.
    required
        Whether netsuke's main job needs it.
    """

    name: str
    purpose: str
    found: bool
    version: str
    install: str
    required: bool = False

    def as_json(self) -> dict[str, Any]:
        """Plain values for machines."""
        return asdict(self)


_PACKAGES = (
    ("onnx", "reads .onnx files", "pip install onnx", True),
    ("pyelftools", "reads the sizes of linked images", "pip install pyelftools", True),
    ("torch", "trains, and reads .pt2 files", "pip install 'netsuke[train]'", False),
    ("ortools", "proves more plans optimal", "pip install 'netsuke[solver]'", False),
    ("onnxruntime", "compares with ONNX Runtime", "pip install 'netsuke[oracle]'", False),
    ("ai-edge-litert", "compares with LiteRT", "pip install 'netsuke[oracle]'", False),
)


def doctor() -> tuple[Tool, ...]:
    """Look for every tool that netsuke can use; what is required comes first."""
    tools = [
        _compiler(
            "zig", "compiles for Cortex-M, and for this machine", "pip install ziglang", True
        ),
        _package("unicorn", "emulates Cortex-M0+, M3, M4, M7, M33", "pip install unicorn", True),
        _host(),
        _sanitizers(),
        _compiler(
            "arm-none-eabi-gcc",
            "compiles for Cortex-M (a second opinion)",
            "apt install gcc-arm-none-eabi",
            False,
        ),
        _qemu(),
        *_avr(),
        *(_package(*entry) for entry in _PACKAGES),
    ]
    return tuple(sorted(tools, key=lambda tool: not tool.required))


def _package(name: str, purpose: str, install: str, required: bool) -> Tool:
    try:
        return Tool(name, purpose, True, version(name), install, required)
    except PackageNotFoundError:
        module = name.replace("-", "_")
        found = importlib.util.find_spec(module) is not None
        return Tool(name, purpose, found, "unknown" if found else "", install, required)


def _compiler(name: str, purpose: str, install: str, required: bool) -> Tool:
    try:
        return Tool(name, purpose, True, target_compiler(name).version, install, required)
    except MissingToolError:
        return Tool(name, purpose, False, "", install, required)


def _host() -> Tool:
    purpose, install = "compiles for this machine", "apt install gcc, or pip install ziglang"
    try:
        return Tool("C compiler", purpose, True, host_compiler().version, install, True)
    except MissingToolError:
        return Tool("C compiler", purpose, False, "", install, True)


def _sanitizers() -> Tool:
    found = sanitizing_compiler()
    return Tool(
        "sanitizers",
        "find missteps of generated C (--on sanitizers)",
        found is not None,
        found.version if found else "",
        "apt install gcc",
    )


def _avr() -> tuple[Tool, Tool]:
    compiler = find_compiler(COMPILER)
    try:
        said = simavr_version()
    except MissingToolError:
        said = ""
    return (
        Tool(
            COMPILER,
            "compiles for AVR (Arduino UNO)",
            compiler is not None,
            compiler.version if compiler else "",
            AVR_INSTALL,
        ),
        Tool("simavr", "emulates AVR, cycle by cycle", bool(said), said, AVR_INSTALL),
    )


def _qemu() -> Tool:
    found = shutil.which(PROGRAM) is not None
    said = qemu_version() if found else ""
    return Tool(PROGRAM, "emulates boards, also Cortex-M55 (--on qemu)", found, said, INSTALL)
