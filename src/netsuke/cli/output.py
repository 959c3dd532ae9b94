"""How the command line shows things: sizes, tables, JSON, progress."""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Annotated, Any

import typer

Json = Annotated[bool, typer.Option("--json", help="Print the result as JSON on stdout.")]
ModelArgument = Annotated[
    str,
    typer.Argument(
        metavar="MODEL",
        help="A .onnx, .tflite, .pt2, .joblib or .skops file, or a zoo name.",
    ),
]
DeviceOption = Annotated[
    str, typer.Option("--device", "-d", help="Board id (see `netsuke devices`) or a .toml file.")
]
DataOption = Annotated[
    str | None, typer.Option("--data", help="Data set: a name (digits) or a path.")
]

TrustOption = Annotated[
    bool,
    typer.Option("--trust-pickle", help="The .joblib or .pkl is yours: loading it runs its code."),
]


def size(count: float) -> str:
    """Bytes for eyes: ``1,234 B``, ``12.3 KiB``, ``4.56 MiB``."""
    if count < 10_000:
        return f"{int(count):,} B"
    if count < 1 << 20:
        return f"{count / 1024:,.1f} KiB"
    return f"{count / (1 << 20):,.2f} MiB"


def count(number: float) -> str:
    """A count for eyes: ``1,234``, ``12.3 k``, ``4.56 M``."""
    if number < 10_000:
        return f"{int(number):,}"
    if number < 1_000_000:
        return f"{number / 1000:,.1f} k"
    return f"{number / 1_000_000:,.2f} M"


def show_json(value: Any) -> None:
    """Print a result for machines; JSON has no infinity and no NaN, so they become null."""
    print(json.dumps(finite(value), indent=1, default=str, allow_nan=False))


def finite(value: Any) -> Any:
    """Plain values without infinity and nan, which JSON has not: they become null."""
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {key: finite(entry) for key, entry in value.items()}
    if isinstance(value, list | tuple):
        return [finite(entry) for entry in value]
    return value


def short(name: str, longest: int = 56) -> str:
    """A tensor's name for eyes; converters join all names of what they fused with ``;``."""
    first = name.split(";", maxsplit=1)[0] + (";…" if ";" in name else "")
    return first if len(first) <= longest else "…" + first[1 - longest :]


def rows(lines: Sequence[Sequence[str]], indent: str = "  ") -> str:
    """Text columns, the first left-aligned, the others right-aligned."""
    if not lines:
        return ""
    widths = [max(len(row[i]) for row in lines) for i in range(len(lines[0]))]
    return "\n".join(
        indent
        + "  ".join(
            cell.ljust(width) if index == 0 else cell.rjust(width)
            for index, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in lines
    )


@contextmanager
def doing(what: str) -> Iterator[Callable[[str], None]]:
    """Show on a terminal's stderr that something is going on; call the result to say what now."""
    if not sys.stderr.isatty():
        yield lambda now: None
        return
    from rich.console import Console

    with Console(stderr=True).status(what) as status:
        yield status.update
