"""`netsuke compile`: a model becomes a C project for a device."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer

from netsuke.cli.output import (
    DataOption,
    DeviceOption,
    Json,
    ModelArgument,
    TrustOption,
    doing,
    short,
    show_json,
    size,
)
from netsuke.devices import Device
from netsuke.schedule.costs import Costs


def register(app: typer.Typer) -> None:
    @app.command()
    def compile(
        model: ModelArgument,
        device: DeviceOption,
        out: Annotated[Path, typer.Option("-o", "--out", help="Folder to write.")],
        data: DataOption = None,
        target: Annotated[str, typer.Option("-t", "--target", help="cmake or arduino.")] = "cmake",
        ram: Annotated[
            str | None, typer.Option(help="RAM for arenas; what is spare goes into speed.")
        ] = None,
        exact: Annotated[
            bool, typer.Option(help="Prove large plans minimal with OR-Tools (an extra).")
        ] = False,
        flash: Annotated[
            str | None, typer.Option(help="Flash for tables and code; kernels are chosen to fit.")
        ] = None,
        measure: Annotated[
            bool, typer.Option(help="Choose kernels by instructions counted on the emulator.")
        ] = False,
        trust_pickle: TrustOption = False,
        stream: Annotated[
            bool, typer.Option(help="Take the input, a vector, element by element.")
        ] = False,
        chunk: Annotated[
            int | None,
            typer.Option(min=1, help="Take the input, a vector, so many elements at a time."),
        ] = None,
        without_softmax: Annotated[
            bool, typer.Option("--without-softmax", help="Answer scores, not probabilities.")
        ] = False,
        vote: Annotated[
            str, typer.Option(help="soft or hard: how trees of a forest vote; hard is smaller.")
        ] = "soft",
        as_json: Json = False,
    ) -> None:
        """Compile a model to readable C; a float model is quantized when --data is given."""
        from netsuke.api import compile as build
        from netsuke.api import device as find
        from netsuke.cli.figures import figures
        from netsuke.devices.catalogue import parse_size

        budget = parse_size(ram, "--ram") if ram is not None else None
        room = parse_size(flash, "--flash") if flash is not None else None
        with doing("compiling") as say:
            artifact = build(
                *(model, device, data, out, target, budget, {"source": model}, exact),
                flash=room,
                measure=_costs(find(device), say) if measure else False,
                trust_pickle=trust_pickle,
                stream=chunk or stream,
                final_softmax=not without_softmax,
                vote=vote,
            )
            result = figures(artifact, find(device))
        result["out"] = str(out)
        if as_json:
            show_json(result)
            return
        plan = artifact.plan
        proof = "minimal, proved" if plan.optimal else f"lower bound {size(plan.lower_bound)}"
        print(f"{out}: {len(artifact.files)} files")
        print(f"  arena    {size(result['arena'])}  ({proof}; peak at {short(plan.peak_node)!r})")
        print(
            f"  flash    {size(result['flash'])}  = weights {size(result['weights'])} "
            f"+ code {size(result['code'])} ({result['source']})"
        )


def _costs(device: Device, say: Callable[[str], None]) -> Costs:
    """Kernel costs counted on the emulator, saying how far it is."""
    from netsuke.verify.measure import MeasuredCosts

    return MeasuredCosts(
        device, progress=lambda what, done, total: say(f"measuring kernels: run {done + 1}/{total}")
    )
