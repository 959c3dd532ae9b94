"""`netsuke run`: feed arrays to an artifact."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Annotated, BinaryIO

import typer

from netsuke.cli.output import Json, count, doing, show_json, size
from netsuke.errors import DataError, UsageError
from netsuke.ir import Array


def register(app: typer.Typer) -> None:
    @app.command()
    def run(
        folder: Annotated[Path, typer.Argument(metavar="DIR", help="A compiled artifact.")],
        output: Annotated[list[Path], typer.Option("--output", help=".npy file, one an output.")],
        input: Annotated[
            list[Path] | None, typer.Option("--input", help=".npy file (n, ...), one an input.")
        ] = None,
        on: Annotated[
            str | None,
            typer.Option("--on", help="host, unicorn, qemu or simavr; by default an emulator."),
        ] = None,
        as_json: Json = False,
    ) -> None:
        """Run an artifact on samples: here, or on an emulated microcontroller."""
        from netsuke.files import write_whole
        from netsuke.verify import default_backends
        from netsuke.verify import run as execute
        from netsuke.verify.project import open_project

        arrays = [_read(path) for path in input or ()]
        outputs = open_project(folder).graph.outputs
        if len(output) != len(outputs):
            raise UsageError(
                f"{folder} has {len(outputs)} output(s), {len(output)} file(s) named; "
                "give one --output for each"
            )
        on = on or default_backends(folder)[-1]
        with doing(f"running on {on}"):
            result = execute(folder, on, arrays)
        for path, array in zip(output, result.outputs, strict=True):
            write_whole(path, partial(_save, array))
        summary = {
            "instructions": result.instructions,
            "stack": result.stack,
            "samples": result.samples,
            "on": on,
        }
        if as_json:
            show_json(summary)
        else:
            print(f"{result.samples} samples on {on}")
            if result.instructions is not None:
                print(f"  instructions  {count(result.instructions)} a sample (emulated)")
            if result.stack is not None:
                print(f"  stack         {size(result.stack)}")


def _save(array: Array, stream: BinaryIO) -> None:
    import numpy as np

    np.save(stream, array)


def _read(path: Path) -> Array:
    import numpy as np

    try:
        array = np.load(path, allow_pickle=False)
    except (OSError, ValueError, EOFError, MemoryError) as error:
        raise DataError(str(path), f"is no .npy file of numbers: {error}") from None
    if not isinstance(array, np.ndarray):
        raise DataError(str(path), "is an archive; give one array a file (numpy.save)")
    return array
