"""Measures C on an emulated ATmega328P: netsuke's and the peers', by the same compiler, flags,
harness and emulator.

Flash is everything that is written to the chip, start-up code included. RAM is data, variables
and the input buffer; the stack is counted beside it. Cycles are the mean over all rows.
"""

from __future__ import annotations

import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from netsuke.errors import MissingToolError, NetsukeError
from netsuke.verify.avr import DATA_SPACE, MCUS, avr_flags
from netsuke.verify.elf import open_elf, read_symbols
from netsuke.verify.simavr import CLOCK, rig

UNO, LARGE = "atmega328p", "atmega2560"
BOOT = 512
"""Bytes of an UNO's flash that its boot loader takes."""
LIMIT = 200_000_000
TYPES = {"int16_t": np.int16, "uint8_t": np.uint8, "int8_t": np.int8, "float": np.float32}

HARNESS = """
#include <stdint.h>
{prelude}
#define MARK (*(volatile uint8_t *)0x3e)
{kind} x_in[{features}] __attribute__((section(".noinit")));
volatile int16_t y_out __attribute__((section(".noinit")));
static void __attribute__((noinline)) infer(void)
{{
    y_out = (int16_t)({call});
}}
int __attribute__((OS_main)) main(void)
{{
    __asm__ volatile("" : : "r"(x_in) : "memory");
    for (;;) {{
        MARK = 1;
        infer();
        __asm__ volatile("" : : : "memory");
        MARK = 2;
    }}
}}
"""


@dataclass(frozen=True, slots=True)
class Firmware:
    """C of one model by a peer.

    Attributes
    ----------
    prelude
        What stands before the harness: includes and the generated code.
    call
        Expression that gives the class of ``x_in``.
    kind
        C type of one feature.
    language
        ``c`` or ``c++``.
    include
        Folders of headers.
    """

    prelude: str
    call: str
    kind: str
    language: str = "c"
    include: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class Measured:
    """What a model takes on an ATmega328P.

    Attributes
    ----------
    fits
        Whether it fits an UNO: flash, and RAM with the stack. Where it does not, cycles come from
        an ATmega2560, on which calls and returns take one cycle more each.
    flash, ram, stack
        Bytes.
    cycles
        Mean over the rows; None where nothing ran.
    classes
        Class number of each row, or None.
    why
        Why there are no figures.
    """

    fits: bool
    flash: int | None = None
    ram: int | None = None
    stack: int | None = None
    cycles: float | None = None
    classes: np.ndarray | None = None
    why: str = ""


def measure(firmware: Firmware, rows: np.ndarray) -> Measured:
    """Build a peer's firmware and run all rows ``(n, features)``."""
    with tempfile.TemporaryDirectory(prefix="netsuke-bench-") as folder:
        root = Path(folder)
        for mcu in (UNO, LARGE):
            elf, why = _build(firmware, rows.shape[1], mcu, root)
            if elf is not None:
                found = _run(elf, mcu, firmware.kind, rows, root)
                if mcu == UNO and found.cycles is None:
                    continue  # too much RAM to run
                return found
        return Measured(False, why=why)


def _build(firmware: Firmware, features: int, mcu: str, root: Path) -> tuple[Path | None, str]:
    source = root / f"main.{'cpp' if firmware.language == 'c++' else 'c'}"
    source.write_text(
        HARNESS.format(
            prelude=firmware.prelude, call=firmware.call, kind=firmware.kind, features=features
        )
    )
    flags = [flag for flag in avr_flags(mcu) if not flag.startswith("-std=")]
    cpp = firmware.language == "c++"
    own = ["-fno-exceptions", "-fno-threadsafe-statics", "-std=gnu++11"] if cpp else ["-std=gnu11"]
    command = ["avr-g++" if cpp else "avr-gcc", *flags, *own, "-w", "-Wl,--gc-sections"]
    command += [f"-I{path}" for path in firmware.include]
    elf = root / f"{mcu}.elf"
    try:
        done = subprocess.run(
            [*command, str(source), "-o", str(elf), "-lm"],
            capture_output=True,
            timeout=60,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return None, "the compiler did not end in 60 s"
    if done.returncode:
        lines = done.stderr.decode(errors="replace").splitlines()
        errors = [
            line for line in lines if "error" in line or "overflow" in line or "large" in line
        ]
        return None, (errors or lines or ["?"])[0].split(": ")[-1][:100]
    return elf, ""


def _run(elf: Path, mcu: str, kind: str, rows: np.ndarray, root: Path) -> Measured:
    parsed = open_elf(elf.read_bytes())

    def size(name: str) -> int:
        section = parsed.get_section_by_name(name)
        return int(section["sh_size"]) if section is not None else 0

    symbols = read_symbols(parsed)
    flash = size(".text") + size(".data")
    ram = size(".data") + size(".bss") + size(".noinit")
    if ram >= MCUS[mcu].ram - 32:
        return Measured(False, flash, ram, why=f"{ram:,} B of RAM")
    stored = np.ascontiguousarray(rows, TYPES[kind])
    (root / "in").write_bytes(stored.tobytes())
    x, y = (symbols[name][0] - DATA_SPACE for name in ("x_in", "y_out"))
    end = symbols["_end"][0] - DATA_SPACE
    command = [str(rig()), str(elf), mcu, str(CLOCK), str(len(rows)), str(LIMIT), str(end)]
    command += ["in", "out", "figures", "i", str(x), str(stored[0].nbytes), "o", str(y), "2"]
    done = subprocess.run(command, cwd=root, capture_output=True, check=False)
    if done.returncode:
        return Measured(False, flash, ram, why=done.stderr.decode(errors="replace")[:80].strip())
    figures = (root / "figures").read_bytes()
    cycles = np.frombuffer(figures, "<u8", 2 * len(rows)).reshape(-1, 2)[:, 0]
    stack, standing = np.frombuffer(figures, "<u4", 2, 16 * len(rows)).tolist()
    inside = flash <= MCUS[UNO].flash - BOOT and ram + stack <= MCUS[UNO].ram
    classes = np.frombuffer((root / "out").read_bytes(), "<i2").astype(int)
    fits = mcu == UNO and inside and bool(standing)
    return Measured(fits, flash, ram, stack, float(cycles.mean()), classes)


def tools_missing() -> str:
    """What must be installed before anything can be measured; empty when nothing."""
    try:
        from netsuke.verify.avr import avr_compiler

        avr_compiler()
        rig()
    except (MissingToolError, NetsukeError) as error:
        return str(error)
    return ""
