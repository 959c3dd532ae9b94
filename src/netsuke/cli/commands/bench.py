"""`netsuke bench MODEL` and `netsuke bench kernels`: models here, kernels on the emulator."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.core import TyperGroup

from netsuke.cli.output import DataOption, Json, count, doing, rows, show_json, size
from netsuke.ir import Graph

if TYPE_CHECKING:
    from netsuke.profile.comparison import Row
    from netsuke.verify.measure import Measured

MODELS = (
    "ds_cnn?softmax=true",
    "resnet8",
    "mobilenet_v1?width=0.25&size=96&classes=2",
    "lenet",
)
"""Networks whose layers stand for what is usual on a microcontroller."""
SAMPLES = 2


class ModelsFirst(TyperGroup):
    """A group in which a word that names no command is the first model of ``models``."""

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        if args and args[0] not in self.commands:
            args = ["models", *args]
        return super().resolve_command(ctx, args)


def register(app: typer.Typer) -> None:
    bench = typer.Typer(cls=ModelsFirst, no_args_is_help=True)
    app.add_typer(bench, name="bench")

    @bench.callback()
    def _bench() -> None:
        """Measure models (`netsuke bench MODEL`), or kernels on emulators."""

    @bench.command()
    def models(
        model: Annotated[
            list[str], typer.Argument(metavar="MODEL...", help="Files or names of the zoo.")
        ],
        runtimes: Annotated[
            str,
            typer.Option(help="Of float, int8, c, onnxruntime and litert, joined by commas."),
        ] = "float,int8",
        device: Annotated[
            str,
            typer.Option(
                "--device", "-d", help="Where memory and time are predicted; host: measured."
            ),
        ] = "host",
        data: DataOption = None,
        as_json: Json = False,
    ) -> None:
        """Compare float with int8: accuracy, time, parameters, size, and memory on a device."""
        from netsuke.api import data as find_data
        from netsuke.api import device as find
        from netsuke.api import load
        from netsuke.profile.comparison import RUNTIMES, chosen, compare_model, missing
        from netsuke.profile.model import INSTALL

        precisions, places = chosen(runtimes.split(","))
        if missing() and {*missing()} == {*RUNTIMES} - {*places}:
            print(f"not installed and left out: {', '.join(missing())}; {INSTALL}", file=sys.stderr)
        board = None if device == "host" else find(device)
        dataset = None if data is None else find_data(data)
        table: list[Row] = []
        with doing("measuring") as say:
            for name in model:
                table += compare_model(name, load(name), dataset, board, precisions, places, say)
        if as_json:
            show_json([asdict(row) for row in table])
        else:
            print(comparison(table))

    @bench.command()
    def kernels(
        models: Annotated[
            list[str] | None,
            typer.Argument(metavar="[MODEL]...", help="Models whose layers are measured."),
        ] = None,
        device: Annotated[
            str, typer.Option("--device", "-d", help="Board whose core is emulated.")
        ] = "nucleo-f446re",
        op: Annotated[
            list[str] | None, typer.Option("--op", help="Operator; may be repeated.")
        ] = None,
        compiler: Annotated[
            str | None, typer.Option(help="zig (default) or arm-none-eabi-gcc.")
        ] = None,
        as_json: Json = False,
    ) -> None:
        """Count the instructions of every kernel for every shape of some networks' layers."""
        from netsuke.api import device as find
        from netsuke.verify.measure import MeasuredCosts

        table: list[Measured] = []
        with doing("measuring") as say:
            costs = MeasuredCosts(
                find(device),
                compiler,
                lambda what, done, total: say(f"measuring {what}: run {done + 1} of {total}"),
            )
            for model in models or MODELS:
                table += costs.table(_integers(model))
        kept = [row for row in _distinct(table) if not op or row.op in op]
        if as_json:
            show_json([{**asdict(row), "per_mac": _rate(row)} for row in kept])
        else:
            print(text(kept))


def _integers(model: str) -> Graph:
    """The int8 graph of a model; a float one is calibrated with noise, which no count minds."""
    from netsuke.api import is_float, load
    from netsuke.compress.quantize import quantize
    from netsuke.verify.samples import random_samples

    graph = load(model)
    return quantize(graph, random_samples(graph, SAMPLES, 0)) if is_float(graph) else graph


def _distinct(table: Sequence[Measured]) -> list[Measured]:
    """Rows without those that say the same, in order of operator, shape and instructions."""
    seen: dict[tuple[Any, ...], Measured] = {}
    for row in table:
        seen.setdefault((row.op, row.shapes, row.function, row.scratch, row.inplace), row)
    return sorted(seen.values(), key=lambda row: (row.op, row.macs, row.shapes, row.instructions))


def _rate(row: Measured) -> float:
    """Instructions a multiply-accumulate, or an output element where there are none."""
    return row.instructions / max(row.macs or row.elements, 1)


def text(table: Sequence[Measured]) -> str:
    """The table for eyes; the last column says what the operator's model makes of it."""
    lines = [("kernel", "shape", "scratch", "in place", "instr.", "/MAC", "modelled")]
    for row in table:
        unit = "" if row.macs else " /el."
        lines.append(
            (
                row.function.removeprefix("nsk_"),
                row.shapes,
                "" if row.scratch is None else f"{row.scratch:,}",
                "yes" if row.inplace else "",
                count(row.instructions),
                f"{_rate(row):.2f}{unit}",
                f"{row.modelled / row.instructions:.2f}x",
            )
        )
    return rows(lines, "")


def comparison(table: Sequence[Row]) -> str:
    """The comparison for eyes, and where its figures come from."""
    modelled = any(row.device_milliseconds == row.device_milliseconds for row in table)
    lines = [("model", "as", "in", "accuracy", "ms", "parameters", "size", "memory", "device ms")]
    for row in table:
        expected, high = row.memory
        memory = size(expected) + ("" if high == expected else f" (to {size(high)})")
        lines.append(
            (
                *(row.model.rpartition("/")[2], row.precision, row.runtime),
                "-" if row.accuracy != row.accuracy else f"{row.accuracy:.2f} %",
                *(f"{row.milliseconds:.3g}", count(row.parameters), size(row.size)),
                memory if high else "-",
                "-"
                if row.device_milliseconds != row.device_milliseconds
                else f"{row.device_milliseconds:.3g}",
            )
        )
    shown = lines if modelled else [line[:-1] for line in lines]
    return "\n".join((rows(shown, ""), "", *_sources(table)))


def _sources(table: Sequence[Row]) -> list[str]:
    """One line for each origin of a column's figures, with the runtimes where they differ."""
    found: dict[str, dict[str, list[str]]] = {}
    for row in table:
        for column, text in row.sources.items():
            runtimes = found.setdefault(column, {}).setdefault(text, [])
            if row.runtime not in runtimes:
                runtimes.append(row.runtime)
    return [
        f"{column}{'' if len(texts) == 1 else ' (' + ', '.join(runtimes) + ')'}: {text}"
        for column, texts in found.items()
        for text, runtimes in texts.items()
    ]
