"""`netsuke doctor`: which compilers and emulators are here."""

from __future__ import annotations

import typer

from netsuke.cli.output import Json, show_json


def register(app: typer.Typer) -> None:
    @app.command()
    def doctor(as_json: Json = False) -> None:
        """Show what is installed, what each tool is for, and how to get the missing ones."""
        from netsuke.verify import doctor as examine

        tools = examine()
        if as_json:
            show_json([tool.as_json() for tool in tools])
            return
        for tool in tools:
            state = tool.version if tool.found else f"not found; {tool.install}"
            print(f"{'ok' if tool.found else '--'}  {tool.name:<20} {tool.purpose}")
            print(f"    {'':<20} {state}")
