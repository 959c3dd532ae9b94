"""`netsuke report`: one HTML page about an artifact or a fit."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from netsuke.cli.output import Json, doing, show_json, size


def register(app: typer.Typer) -> None:
    @app.command()
    def report(
        folder: Annotated[Path, typer.Argument(metavar="DIR", help="An artifact or a fit run.")],
        out: Annotated[Path | None, typer.Option("-o", "--out", help="HTML file to write.")] = None,
        curve: Annotated[
            bool, typer.Option(help="Plan several limits of RAM and draw the curve (seconds).")
        ] = True,
        as_json: Json = False,
    ) -> None:
        """Write one self-contained HTML page: verdict, memory, layers, verification."""
        from netsuke.files import write_whole
        from netsuke.report import report_page

        target = out or folder / "report.html"
        with doing("planning"):
            page = report_page(folder, curve).encode()
        write_whole(target, page)
        if as_json:
            show_json({"out": str(target), "bytes": len(page)})
        else:
            print(f"{target}: {size(len(page))}")
