"""Record the code size of every kernel on every Cortex-M core, for `netsuke check`.

``python bench/code_sizes/run.py`` compiles each kernel source alone (zig cc -O2) and writes
`src/netsuke/codegen/code_sizes.json`; ``--check`` compares with what is recorded and fails on any
difference.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import PurePosixPath

from elftools.elf.elffile import ELFFile

from netsuke.codegen.footprint import SIZES
from netsuke.codegen.sources import PACKAGE, kernel_files
from netsuke.errors import VerificationError
from netsuke.verify.cores import CORES
from netsuke.verify.cores import core as core_of
from netsuke.verify.toolchain import compile_objects, target_compiler, target_flags


def sections(path: str) -> int:
    """Bytes of an object that land in flash."""
    with open(path, "rb") as stream:
        elf = ELFFile(stream)
        return sum(
            section["sh_size"]
            for section in elf.iter_sections()
            if section["sh_flags"] & 2 and section["sh_type"] == "SHT_PROGBITS"
            and not section.name.startswith(".ARM")
        )


def measure() -> dict[str, object]:
    """Sizes by core and source."""
    compiler = target_compiler("zig")
    sources = sorted(str(p.relative_to(PACKAGE / "ops").as_posix())
                     for p in (PACKAGE / "ops").glob("*/*.c"))
    table: dict[str, dict[str, int]] = {}
    for core in map(core_of, CORES):
        sizes = table.setdefault(core.name, {})
        for source in sources:
            files = kernel_files([source])
            wanted = PurePosixPath("kernels", PurePosixPath(source).name)
            files = {p: d for p, d in files.items() if p == wanted or p.suffix == ".h"}
            try:
                (built,) = compile_objects(compiler, target_flags(compiler, core), files)
            except VerificationError as error:
                print(f"{core.name} {source}: {error}", file=sys.stderr)
                continue
            sizes[source] = sections(str(built))
    return {"compiler": compiler.version, "flags": "-O2", "sizes": table}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true")
    arguments = parser.parse_args()
    measured = measure()
    text = json.dumps(measured, indent=1, sort_keys=True) + "\n"
    if not arguments.check:
        SIZES.write_text(text, encoding="utf-8")
        print(f"{SIZES}: {len(measured['sizes'])} cores")
        return 0
    recorded = SIZES.read_text(encoding="utf-8") if SIZES.exists() else ""
    if recorded != text:
        print("the recorded code sizes are stale; run bench/code_sizes/run.py", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
