"""`netsuke fit`: limits in, certified design out, for a network or for a table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated

import typer

from netsuke.cli.commands.fit_network import show_fit
from netsuke.cli.commands.fit_table import fit_a_table, is_table, show_table_fit
from netsuke.cli.output import DeviceOption, Json, show_json
from netsuke.devices import Limits
from netsuke.devices.catalogue import parse_size
from netsuke.errors import UsageError


def register(app: typer.Typer) -> None:
    @app.command()
    def fit(
        model: Annotated[
            str,
            typer.Argument(
                metavar="MODEL|TABLE",
                help="A .onnx, .tflite, .pt2 file or a zoo name; or a .csv or .tsv of numbers.",
            ),
        ],
        device: DeviceOption,
        out: Annotated[Path, typer.Option("-o", "--out", help="Run folder; resumable.")],
        data: Annotated[
            str | None, typer.Option("--data", help="A model's data set: a name or a path.")
        ] = None,
        target: Annotated[
            str | None, typer.Option(help="A table's column to predict: name or number.")
        ] = None,
        flash: Annotated[str | None, typer.Option(help="Flash limit, such as 128KiB.")] = None,
        ram: Annotated[str | None, typer.Option(help="RAM limit, such as 32KiB.")] = None,
        instructions: Annotated[int | None, typer.Option(help="Instructions an inference.")] = None,
        latency: Annotated[
            str | None, typer.Option(help="Time of a model's inference, modelled: 50ms.")
        ] = None,
        cycles: Annotated[int | None, typer.Option(help="A table's cycles a prediction.")] = None,
        max_drop: Annotated[
            float | None, typer.Option(help="A model's largest drop, in points.")
        ] = None,
        floor: Annotated[
            list[str] | None,
            typer.Option(help="Least accuracy of a model's class: defect=99. Repeatable."),
        ] = None,
        time: Annotated[
            str | None, typer.Option(help="A model's wall-clock budget: 90s, 2h.  [default: 10m]")
        ] = None,
        task: Annotated[
            str | None, typer.Option(help="A table's: classification or regression.")
        ] = None,
        effort: Annotated[
            str, typer.Option(help="Designs of a table: quick, normal or thorough.")
        ] = "normal",
        epochs: Annotated[
            int | None, typer.Option(help="A model's last training, instead of --time.")
        ] = None,
        designs: Annotated[
            int | None, typer.Option(help="A model's designs; by default what the time allows.")
        ] = None,
        family: Annotated[
            list[str] | None,
            typer.Option(help="Zoo network that may take a model's place. Repeatable."),
        ] = None,
        augment: Annotated[
            str, typer.Option(help="How a model's images vary while it learns.")
        ] = "none",
        threads: Annotated[int, typer.Option(help="Threads that a model learns with.")] = 2,
        storage: Annotated[
            str | None, typer.Option(help="A model's trials: URL of a data base. [default: a file]")
        ] = None,
        cluster: Annotated[
            str | None, typer.Option(help="A model's designs learn on this Ray cluster.")
        ] = None,
        jobs: Annotated[int, typer.Option(help="Designs of a table trained at a time.")] = 1,
        seed: Annotated[int, typer.Option(help="Of everything random.")] = 0,
        resume: Annotated[bool, typer.Option(help="Go on with an interrupted run.")] = False,
        as_json: Json = False,
    ) -> None:
        """Shrink a network until it fits, or find a table's best model that fits; certified."""
        limits = Limits(
            flash=parse_size(flash, "--flash") if flash else None,
            ram=parse_size(ram, "--ram") if ram else None,
            instructions=instructions,
            latency=seconds(latency, "--latency") if latency else None,
            max_drop=max_drop,
            floors=_floors(floor or ()),
        )
        for_models = {
            "--data": data,
            "--max-drop": max_drop,
            "--time": time,
            "--latency": latency,
            "--floor": floor,
            "--epochs": epochs,
            "--designs": designs,
            "--family": family,
            "--storage": storage,
            "--cluster": cluster,
        }
        if target is not None or (data is None and is_table(model)):
            _refuse(for_models, "a table")
            sizes = (limits.flash, limits.ram, instructions if cycles is None else cycles)
            result = fit_a_table(
                *(model, target, task, device, sizes, effort, seed, out, resume, jobs)
            )
            if as_json:
                show_json(result.as_json())
            else:
                show_table_fit(result, out)
            return
        if data is None:
            raise UsageError(f"{model} needs --data: what it was trained on, a name or a path")
        _refuse({"--cycles": cycles, "--task": task}, "a network")
        from netsuke.api import fit as search
        from netsuke.train import Recipe

        found = search(
            model,
            device,
            data,
            limits,
            seed=seed,
            time=seconds(time or "10m"),
            out=out,
            resume=resume,
            epochs=epochs,
            designs=designs,
            recipe=Recipe(seed=seed, augment=augment, threads=threads),
            families=family or (),
            storage=storage,
            cluster=cluster,
        )
        if as_json:
            show_json(found.as_json())
        else:
            show_fit(found, out)
        if not found.met:
            raise typer.Exit(3)


def _refuse(options: Mapping[str, object], what: str) -> None:
    """Options that would be read and then forgotten."""
    given = [name for name, value in options.items() if value is not None]
    if given:
        raise UsageError(f"{', '.join(given)}: is no option for {what}; leave it out")


def _floors(texts: Sequence[str]) -> dict[str, float]:
    """Class -> points, of ``defect=99``."""
    floors = {}
    for text in texts:
        name, _, number = text.rpartition("=")
        try:
            value = float(number)
        except ValueError:
            value = -1.0
        if not name or not 0.0 <= value <= 100.0:
            raise UsageError(f"--floor {text!r} is not a class and its points, such as defect=99")
        floors[name] = value
    return floors


def seconds(text: str, option: str = "--time") -> float:
    """Seconds of ``90``, ``90s``, ``50ms``, ``10m`` or ``2h``."""
    factors = {"ms": 1e-3, "s": 1.0, "m": 60.0, "h": 3600.0}
    unit = next((unit for unit in factors if text.lower().endswith(unit)), "")
    number = text[: len(text) - len(unit)]
    try:
        value = float(number) * factors.get(unit, 1.0)
    except ValueError:
        value = -1.0
    if not 0 < value < 1e9:
        raise UsageError(f"{option} {text!r} is not a time such as 50ms, 90s, 10m or 2h")
    return value
