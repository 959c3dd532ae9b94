"""What each core is called by compilers and emulators."""

from __future__ import annotations

from dataclasses import dataclass

from netsuke.errors import UsageError


@dataclass(frozen=True, slots=True)
class Core:
    """One core, with the names that tools know it by.

    Attributes
    ----------
    name
        As in a device file: ``cortex-m4``.
    zig, gcc
        The compiler's name for the core without its optional parts.
    unicorn
        The constant of the Unicorn module that selects the core, or None when it has none or
        needs none.
    machine
        The QEMU board with this core, or None.
    fpu
        Whether code may use single-precision floating-point registers.
    double
        Whether these registers also take double precision.
    dsp
        Whether the core has the DSP extension.
    mve
        Whether it has integer vectors (MVE).
    a64
        Whether it runs AArch64.
    rv32
        Whether it is a 32-bit RISC-V core.
    """

    name: str
    zig: str
    gcc: str
    unicorn: str | None
    machine: str | None
    fpu: bool = False
    double: bool = False
    dsp: bool = False
    mve: bool = False
    a64: bool = False
    rv32: bool = False


_M55 = frozenset({"dsp", "mve", "fpu-dp"})

# name: zig, gcc, Unicorn, QEMU, what a core of this name always or usually has
_CORES: dict[str, tuple[str, str, str | None, str | None, frozenset[str]]] = {
    "cortex-m0": ("cortex_m0", "cortex-m0", "M0", "microbit", frozenset()),
    "cortex-m0plus": ("cortex_m0plus", "cortex-m0plus", "M0", "microbit", frozenset()),
    "cortex-m3": ("cortex_m3", "cortex-m3", "M3", "mps2-an385", frozenset()),
    "cortex-m4": ("cortex_m4", "cortex-m4", "M4", "mps2-an386", frozenset({"dsp", "fpu-sp"})),
    "cortex-m7": ("cortex_m7", "cortex-m7", "M7", "mps2-an500", frozenset({"dsp", "fpu-sp"})),
    "cortex-m33": ("cortex_m33", "cortex-m33", "M33", "mps2-an505", frozenset({"dsp", "fpu-sp"})),
    "cortex-m55": ("cortex_m55", "cortex-m55", None, "mps3-an547", _M55),
}

CORES = tuple(_CORES)

# name: zig, Unicorn. Unicorn's largest core stands for those that it does not know.
_A64: dict[str, tuple[str, str]] = {
    "cortex-a53": ("cortex_a53", "A53"),
    "cortex-a57": ("cortex_a57", "A57"),
    "cortex-a72": ("cortex_a72", "A72"),
    "cortex-a76": ("cortex_a76", "MAX"),
    "cortex-a78ae": ("cortex_a78ae", "MAX"),
}


def core(name: str, isa: frozenset[str] | None = None) -> Core:
    """Return a core by its name; `isa` says which optional parts it has.

    Raises
    ------
    UsageError
        When it is no core that can be emulated.
    """
    if name in _A64:
        known, emulated = _A64[name]
        return Core(name, known, name, f"UC_CPU_ARM64_{emulated}", None, a64=True)
    if name == "rv32":
        return Core(name, "generic_rv32+m", name, None, None, rv32=True)
    if name not in _CORES:
        raise UsageError(
            f"{name} cannot be emulated here; cores that can are "
            f"{', '.join((*CORES, *_A64, 'rv32'))}. Verify on the host instead (--on host)."
        )
    zig, gcc, unicorn, machine, usual = _CORES[name]
    has = usual if isa is None else isa
    return Core(
        name=name,
        zig=zig,
        gcc=gcc,
        unicorn=None if unicorn is None else f"UC_CPU_ARM_CORTEX_{unicorn}",
        machine=machine,
        fpu=bool(has & {"fpu-sp", "fpu-dp", "mve"}),
        double="fpu-dp" in has,
        dsp="dsp" in has,
        mve="mve" in has,
    )


# The parts that zig must be told; a plain ``cortex_m4`` has no floating-point registers,
# a plain ``cortex_m33`` neither these nor the DSP extension.
_ZIG_FPU = {
    ("cortex-m4", False): "+vfp4d16sp",
    ("cortex-m7", False): "+fp_armv8d16sp",
    ("cortex-m7", True): "+fp_armv8d16",
    ("cortex-m33", False): "+fp_armv8d16sp",
    ("cortex-m55", False): "+fp_armv8d16sp",
    ("cortex-m55", True): "+fp_armv8d16",
}
_GCC_FPU = {
    ("cortex-m4", False): "fpv4-sp-d16",
    ("cortex-m7", False): "fpv5-sp-d16",
    ("cortex-m7", True): "fpv5-d16",
    ("cortex-m33", False): "fpv5-sp-d16",
}


def zig_flags(core: Core) -> tuple[str, ...]:
    """Target flags of ``zig cc`` for a core."""
    parts = core.zig
    if core.rv32:
        return ("-target", "riscv32-freestanding-none", f"-mcpu={parts}", "-fhosted")
    if core.a64:
        return ("-target", "aarch64-freestanding-none", f"-mcpu={parts}", "-fhosted")
    if core.name == "cortex-m33" and core.dsp:
        parts += "+dsp"
    if core.mve:
        # Not its floats: they flush subnormal numbers, and so would loops that become vectors.
        parts += "+mve"
    if core.fpu:
        parts += _ZIG_FPU.get((core.name, core.double), "")
    abi = "eabihf" if core.fpu else "eabi"
    return ("-target", f"thumb-freestanding-{abi}", f"-mcpu={parts}", "-fhosted")


def gcc_flags(core: Core) -> tuple[str, ...]:
    """Target flags of ``arm-none-eabi-gcc`` for a core."""
    name = core.gcc
    if core.name == "cortex-m33" and not core.dsp:
        name += "+nodsp"
    if core.name == "cortex-m55":
        name += "+nomve.fp" if core.mve else "+nomve"
    flags = ["-mthumb", f"-mcpu={name}", f"-mfloat-abi={'hard' if core.fpu else 'soft'}"]
    if core.fpu:
        flags.append(f"-mfpu={_GCC_FPU.get((core.name, core.double), 'auto')}")
    return tuple(flags)
