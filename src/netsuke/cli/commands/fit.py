"""`netsuke fit`: shrink a model until it holds the limits, with the smallest drop."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from netsuke.cli.output import DeviceOption, Json, ModelArgument, count, show_json, size
from netsuke.devices import Limits
from netsuke.devices.catalogue import parse_size
from netsuke.errors import UsageError


def register(app: typer.Typer) -> None:
    @app.command()
    def fit(
        model: ModelArgument,
        data: Annotated[str, typer.Option("--data", help="Data set: a name or a path.")],
        device: DeviceOption,
        out: Annotated[Path, typer.Option("-o", "--out", help="Run folder; resumable.")],
        flash: Annotated[str | None, typer.Option(help="Flash limit, such as 128KiB.")] = None,
        ram: Annotated[str | None, typer.Option(help="RAM limit, such as 32KiB.")] = None,
        instructions: Annotated[int | None, typer.Option(help="Instructions an inference.")] = None,
        max_drop: Annotated[float | None, typer.Option(help="Largest drop, in points.")] = None,
        time: Annotated[str, typer.Option(help="Wall-clock budget: 90s, 10m, 2h.")] = "10m",
        seed: Annotated[int, typer.Option(help="Of everything random.")] = 0,
        resume: Annotated[bool, typer.Option(help="Go on with an interrupted run.")] = False,
        as_json: Json = False,
    ) -> None:
        """Shrink, distil and quantize a model until it fits, and certify the result."""
        from netsuke.api import fit as search

        limits = Limits(
            flash=parse_size(flash, "--flash") if flash else None,
            ram=parse_size(ram, "--ram") if ram else None,
            instructions=instructions,
            max_drop=max_drop,
        )
        result = search(
            model, device, data, limits, seed=seed, time=seconds(time), out=out, resume=resume
        )
        if as_json:
            show_json(result.as_json())
        else:
            print("All limits are met." if result.met else "NOT all limits are met:")
            for sentence in (*result.unmet, *result.notes):
                print(f"  {sentence}")
            print(f"  flash         {size(result.sizes.flash)}")
            print(f"  RAM           {size(result.sizes.ram)}")
            print(f"  instructions  {count(result.sizes.instructions)}")
            print(
                f"  accuracy      {result.metric:.2f} %  (drop {result.drop.points:+.2f} points, "
                f"at most {result.drop.bound:+.2f} with 95 % confidence)"
            )
            print(f"  artifact      {out / 'firmware'}")
        if not result.met:
            raise typer.Exit(3)


def seconds(text: str) -> float:
    """Seconds of ``90``, ``90s``, ``10m`` or ``2h``."""
    factors = {"s": 1.0, "m": 60.0, "h": 3600.0}
    unit = text[-1:].lower()
    number = text[:-1] if unit in factors else text
    try:
        value = float(number) * factors.get(unit, 1.0)
    except ValueError:
        value = -1.0
    if not 0 < value < 1e9:
        raise UsageError(f"--time {text!r} is not a time such as 90s, 10m or 2h")
    return value
