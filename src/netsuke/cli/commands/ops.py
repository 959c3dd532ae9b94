"""`netsuke ops`: the operators that are supported, or those of a model."""

from __future__ import annotations

from typing import Annotated

import typer

from netsuke.cli.output import Json, count, rows, show_json


def register(app: typer.Typer) -> None:
    @app.command()
    def ops(
        model: Annotated[
            str | None, typer.Argument(help="A model, or nothing for the list.")
        ] = None,
        as_json: Json = False,
    ) -> None:
        """List the operators netsuke has, or count those of a model."""
        if model is None:
            _list(as_json)
        else:
            _count(model, as_json)


def _list(as_json: bool) -> None:
    from netsuke.ops import OPERATORS

    entries = [
        (operator.__module__.rsplit(".", 1)[-1], (operator.__doc__ or "").strip().split("\n")[0])
        for operator in OPERATORS
    ]
    if as_json:
        show_json([{"operator": name, "meaning": meaning} for name, meaning in entries])
    else:
        width = max(len(name) for name, _ in entries)
        print("\n".join(f"{name:<{width}}  {meaning}" for name, meaning in entries))


def _count(model: str, as_json: bool) -> None:
    from netsuke.api import load

    graph = load(model)
    table: dict[str, list[int]] = {}
    for node in graph.nodes:
        entry = table.setdefault(node.op.kind, [0, 0])
        entry[0] += 1
        entry[1] += node.op.cost(graph.in_of(node), graph.out_of(node)).macs
    if as_json:
        show_json([{"operator": k, "nodes": n, "macs": m} for k, (n, m) in sorted(table.items())])
    else:
        lines = [("operator", "nodes", "MACs")]
        lines += [(kind, str(n), count(macs)) for kind, (n, macs) in sorted(table.items())]
        print(rows(lines, ""))
