"""Write the reference pages that follow from the code: operators, devices, commands.

``python docs/generate.py`` writes them; ``--check`` fails when one is stale.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

import typer

from netsuke.cli.main import app
from netsuke.cli.output import size
from netsuke.devices import device, device_ids
from netsuke.ops import OPERATORS

HERE = Path(__file__).parent


def operators() -> str:
    """One row an operator: its first docstring line is its meaning."""
    lines = [
        "# Operators",
        "",
        "Each is one folder under `src/netsuke/ops/`.",
        "",
        "| operator | meaning |",
        "|---|---|",
    ]
    for operator in OPERATORS:
        name = operator.__module__.rsplit(".", 1)[-1]
        meaning = (operator.__doc__ or "").strip().split("\n")[0].replace("|", "\\|")
        lines.append(f"| `{name}` | {meaning} |")
    return "\n".join(lines) + "\n"


def devices() -> str:
    """One row a board, with its sources below."""
    lines = [
        "# Devices",
        "",
        "`netsuke devices show ID` tells the regions and the sources.",
        "",
        "| id | board | core | clock | flash | RAM |",
        "|---|---|---|---|---|---|",
    ]
    for name in device_ids():
        board = device(name)
        lines.append(
            f"| `{board.id}` | {board.name} | {board.core} | {board.clock / 1e6:g} MHz | "
            f"{size(board.flash)} | {size(board.ram)} |"
        )
    return "\n".join(lines) + "\n"


def commands() -> str:
    """Every command with its arguments and options."""
    lines = ["# Commands", ""]
    root = typer.main.get_command(app)
    for name in sorted(root.commands):  # type: ignore[attr-defined]
        lines += _command(name, root.commands[name])  # type: ignore[attr-defined]
    return "\n".join(lines).rstrip() + "\n"


def _command(name: str, command: Any) -> list[str]:
    """A command, or those of a group."""
    if hasattr(command, "commands"):
        parts = [_command(f"{name} {part}", command.commands[part]) for part in command.commands]
        return [line for part in parts for line in part]
    lines = [f"## netsuke {name}", "", (command.help or "").strip(), ""]
    for parameter in command.params:
        text = getattr(parameter, "help", None) or ""
        shown = ", ".join(f"`{o}`" for o in parameter.opts)
        if parameter.param_type_name == "argument":
            shown = f"`{(parameter.name or '').upper()}`"
        lines.append(f"- {shown} {text}".rstrip())
    return [*lines, ""]


PAGES = {"operators.md": operators, "devices.md": devices, "commands.md": commands}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true")
    check = parser.parse_args().check
    stale = []
    for name, page in PAGES.items():
        path, text = HERE / name, page()
        if check and (not path.exists() or path.read_text(encoding="utf-8") != text):
            stale.append(name)
        elif not check:
            path.write_text(text, encoding="utf-8")
    if stale:
        print(f"stale: {', '.join(stale)}; run make docs", file=sys.stderr)
    return 1 if stale else 0


if __name__ == "__main__":
    sys.exit(main())
