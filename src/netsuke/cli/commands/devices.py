"""`netsuke devices`: the catalogue."""

from __future__ import annotations

from typing import Annotated

import typer

from netsuke.cli.output import Json, rows, show_json, size
from netsuke.devices import Device, device, device_ids
from netsuke.devices.catalogue import user_folder


def register(app: typer.Typer) -> None:
    group = typer.Typer(invoke_without_command=True, no_args_is_help=False)

    @group.callback()
    def devices(context: typer.Context, as_json: Json = False) -> None:
        """List the boards that are known; `show ID` tells more."""
        if context.invoked_subcommand is None:
            _list(as_json)

    @group.command()
    def show(
        name: Annotated[str, typer.Argument(metavar="ID", help="A board id or a .toml file.")],
        as_json: Json = False,
    ) -> None:
        """Show one board: core, memories, and where each figure was read."""
        board = device(name)
        if as_json:
            show_json(_record(board))
        else:
            print(_text(board))

    app.add_typer(group, name="devices")


def _record(board: Device) -> dict[str, object]:
    return {
        "id": board.id,
        "name": board.name,
        "core": board.core,
        "cores": board.cores,
        "isa": sorted(board.isa),
        "clock": board.clock,
        "flash": board.flash,
        "ram": board.ram,
        "regions": [
            {
                "name": r.name,
                "kind": r.kind,
                "size": r.size,
                "reserve": r.reserve,
                "use": list(r.use),
                "origin": r.origin,
            }
            for r in board.regions
        ],
        "sources": list(board.sources),
    }


def _list(as_json: bool) -> None:
    boards = [device(name) for name in device_ids()]
    if as_json:
        show_json([_record(board) for board in boards])
        return
    lines = [("id", "core", "clock", "flash", "RAM")]
    lines += [(b.id, b.core, f"{b.clock / 1e6:g} MHz", size(b.flash), size(b.ram)) for b in boards]
    print(rows(lines, ""))
    print(f"\nYour own boards: .toml files in {user_folder()}")


def _text(board: Device) -> str:
    cores = f"{board.cores} × " if board.cores > 1 else ""
    lines = [
        f"{board.name} ({board.id})",
        f"{cores}{board.core} at {board.clock / 1e6:g} MHz; {', '.join(sorted(board.isa)) or '-'}",
        rows(
            [("region", "kind", "size", "reserved", "use")]
            + [
                (r.name, r.kind, size(r.size), size(r.reserve), ", ".join(r.use))
                for r in board.regions
            ]
        ),
    ]
    lines += [f"source  {source}" for source in board.sources]
    return "\n".join(lines)
