"""`netsuke check`: does a model fit a device, and what is in the way?"""

from __future__ import annotations

from typing import Annotated

import typer

from netsuke.api import Verdict
from netsuke.api import check as judge
from netsuke.cli.output import (
    DataOption,
    DeviceOption,
    Json,
    ModelArgument,
    TrustOption,
    count,
    rows,
    short,
    show_json,
    size,
)
from netsuke.devices.catalogue import parse_size


def register(app: typer.Typer) -> None:
    @app.command()
    def check(
        model: ModelArgument,
        device: DeviceOption,
        data: DataOption = None,
        trust_pickle: TrustOption = False,
        ram: Annotated[
            str | None, typer.Option(help="RAM for arenas, if less than the device has.")
        ] = None,
        as_json: Json = False,
    ) -> None:
        """Say whether a model fits a device: flash, RAM at its peak, operators."""
        limit = parse_size(ram, "--ram") if ram is not None else None
        verdict = judge(model, device, data, trust_pickle, limit)
        if as_json:
            show_json(verdict.as_json())
        else:
            print(text(verdict))
        if verdict.unsupported:
            raise typer.Exit(4)
        if not verdict.fits:
            raise typer.Exit(3)


def text(verdict: Verdict) -> str:
    """The verdict for eyes."""
    lines = [f"Model   {verdict.model}"]
    if verdict.unsupported:
        lines.append(f"Device  {verdict.device}")
        lines.append(f"Cannot be imported: {len(verdict.unsupported)} node(s)")
        lines += [f"  {op} at {node!r}: {why}" for op, node, why in verdict.unsupported]
        return "\n".join(lines)
    lines[0] += f" · {count(verdict.parameters)} parameters · {count(verdict.macs)} MACs"
    lines.append(f"Device  {verdict.device}")
    table = [("", "need", "have", "")]
    for name, needed, available in (
        ("flash", verdict.flash, verdict.flash_available),
        ("RAM", verdict.ram, verdict.ram_available),
    ):
        mark = "ok" if needed <= available else f"{needed / max(available, 1):.1f} times too much"
        table.append((name, size(needed), size(available), mark))
    lines.append(rows(table))
    proved = "minimal, proved" if verdict.optimal else "not proved minimal"
    lines.append(f"  RAM peaks at node {short(verdict.peak_node)!r} ({proved}), where these live:")
    lines.append(
        rows([(short(name), size(bytes_)) for name, bytes_ in verdict.peak_tensors[:4]], "    ")
    )
    if verdict.as_int8:
        flash, ram = map(size, verdict.as_int8)
        lines.append(f"  As int8 it would take about {flash} of flash and {ram} of RAM (modelled).")
    if verdict.fits:
        lines.append("Fits.")
    else:
        lines.append("Does not fit. Try: netsuke quantize, netsuke fit, or a larger device.")
    return "\n".join(lines)
