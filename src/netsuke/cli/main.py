"""The list of commands, and what happens to errors."""

from __future__ import annotations

import os
import sys
from io import TextIOWrapper
from typing import Annotated

import typer

from netsuke.cli.commands import (
    bench,
    check,
    compile,
    devices,
    doctor,
    estimate,
    explain,
    fit,
    ops,
    profile,
    prune,
    quantize,
    report,
    run,
    sparsify,
    train,
    tree,
    verify,
)
from netsuke.errors import NetsukeError

COMMANDS = (
    *(check, estimate, ops, prune, quantize, compile, run, verify, fit, sparsify, train),
    *(profile, devices, report, explain, tree, bench, doctor),
)

app = typer.Typer(
    name="netsuke",
    help="Fit trained networks into devices that are too small for them, and prove it.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)


def _version(wanted: bool) -> None:
    if wanted:
        from netsuke.codegen.manifest import netsuke_version

        print(f"netsuke {netsuke_version()}")
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version.")
    ] = False,
) -> None:
    """Fit trained networks into devices that are too small for them, and prove it."""


for module in COMMANDS:
    module.register(app)


def main(arguments: list[str] | None = None) -> int:
    """Run the command line and return its exit code.

    0 done, 1 our fault, 2 usage, 3 does not fit, 4 the model or the data is unusable, 130
    interrupted.
    """
    try:
        _run(arguments)
    except SystemExit as stop:
        return stop.code if isinstance(stop.code, int) else 1
    except NetsukeError as error:
        print(f"netsuke: {error}", file=sys.stderr)
        return error.exit_code
    except KeyboardInterrupt:
        print("netsuke: interrupted", file=sys.stderr)
        return 130
    except OSError as error:  # a broken pipe: the reader has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        if isinstance(error, BrokenPipeError):
            return 0
        print(f"netsuke: {error}", file=sys.stderr)
        return 1
    except MemoryError:
        print("netsuke: out of memory; try fewer samples or a smaller model", file=sys.stderr)
        return 1
    return 0


def _run(arguments: list[str] | None) -> None:
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="replace")  # the C locale has no middle dot
    try:
        app(arguments, standalone_mode=True)
    finally:
        if sys.stdout is not None:
            sys.stdout.flush()  # a full disk must show here, not when Python ends


def program() -> None:
    """Entry point of the `netsuke` program."""
    sys.exit(main())
