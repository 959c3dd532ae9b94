"""`netsuke estimate`: the memory that a model takes on a device that is not there."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from netsuke.cli.output import DataOption, Json, ModelArgument, doing, short, show_json, size
from netsuke.devices.catalogue import parse_size

if TYPE_CHECKING:
    from netsuke.profile.estimate import Estimate, Resource

SHOWN = 6
"""Parts of the peak that are listed: the base and the five largest others."""


def register(app: typer.Typer) -> None:
    @app.command()
    def estimate(
        model: ModelArgument,
        runtime: Annotated[
            str, typer.Option(help="onnxruntime, litert or torch (predicted), c (exact).")
        ] = "onnxruntime",
        device: Annotated[
            str,
            typer.Option("--device", "-d", help="Board with 64-bit Arm Linux; any board for c."),
        ] = "rpi-3b",
        phase: Annotated[
            str, typer.Option(help="infer; with torch also evaluate and train.")
        ] = "infer",
        batch: Annotated[int | None, typer.Option(help="Samples at once.")] = None,
        threads: Annotated[int, typer.Option(help="Threads of the runtime.")] = 1,
        arena: Annotated[
            bool, typer.Option("--arena/--no-arena", help="ONNX Runtime's memory arena.")
        ] = True,
        available: Annotated[
            str | None, typer.Option(help="Memory left for the process, such as 700MiB.")
        ] = None,
        data: DataOption = None,
        as_json: Json = False,
    ) -> None:
        """Predict the peak memory of a model on a device that does not exist yet."""
        from netsuke.api import estimate as predict

        limit = parse_size(available, "--available") if available is not None else None
        with doing(f"running {model} in {runtime} here"):
            made = predict(
                model,
                device,
                runtime,
                phase=phase,
                batch=batch,
                threads=threads,
                arena=arena,
                available=limit,
                dataset=data,
            )
        if as_json:
            show_json(made.as_json())
        else:
            print(text(made))
        if not made.fits:
            raise typer.Exit(3)


def text(made: Estimate) -> str:
    """An estimate for eyes."""
    runtime = f"{made.runtime} {made.version}".strip()
    lines = [
        f"Model   {made.model} · {made.phase} · batch {made.batch}",
        f"Device  {made.device} · {runtime} · {made.threads} thread(s)",
    ]
    if made.exact:
        lines.append(f"RAM     {size(made.expected)} (exact), at {short(made.peak_at)!r}")
    else:
        lines.append(
            f"Peak    {size(made.expected)} (modelled), from {size(made.low)} to "
            f"{size(made.high)}, at {short(made.peak_at)!r}"
        )
    table = [("  in memory then", "", "")]
    for part in made.parts[:SHOWN]:
        saved = f"saves {size(part.saves)}: " if part.saves > 0 else ""
        table.append((f"  {short(part.name)}", _bytes(part.size), saved + part.switch))
    lines.append(_left(table))
    lines += [f"  {entry.name}: {_figure(entry)}  ({entry.source})" for entry in made.resources]
    lines += [f"  note: {note}" for note in made.notes]
    lines.append(_verdict(made))
    return "\n".join(lines)


def _bytes(count: int) -> str:
    return size(count) if count >= 0 else f"-{size(-count)}"


def _left(table: list[tuple[str, str, str]]) -> str:
    """Three columns, the second to the right."""
    first = max(len(row[0]) for row in table)
    second = max(len(row[1]) for row in table)
    return "\n".join(f"{a:{first}}  {b:>{second}}  {c}".rstrip() for a, b, c in table)


def _figure(entry: Resource) -> str:
    if entry.unit == "B":
        return size(entry.high)
    low, high = f"{entry.low:.3g}", f"{entry.high:.3g}"
    return f"{low} {entry.unit}" if low == high else f"{low} to {high} {entry.unit}"


def _verdict(made: Estimate) -> str:
    have = size(made.available)
    if made.exact:
        return f"Fits into {have}." if made.fits else f"Does not fit into {have}."
    if made.fits:
        return f"Fits into {have} with {100 * made.confidence:.4g} % confidence."
    return (
        f"Not sure to fit into {have}: the upper bound is {size(made.high)}; it fits with "
        f"{100 * made.confidence:.3g} % confidence."
    )
