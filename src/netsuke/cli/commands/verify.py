"""`netsuke verify`: prove an artifact bit for bit, and write its certificate."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from netsuke.cli.output import Json, count, doing, show_json, size


def register(app: typer.Typer) -> None:
    @app.command()
    def verify(
        folder: Annotated[Path, typer.Argument(metavar="DIR", help="A compiled artifact.")],
        on: Annotated[
            list[str] | None,
            typer.Option("--on", help="host, unicorn, qemu, simavr; may be repeated."),
        ] = None,
        vectors: Annotated[int, typer.Option(help="Random samples to run.")] = 20,
        seed: Annotated[int, typer.Option(help="Of the random samples.")] = 0,
        as_json: Json = False,
    ) -> None:
        """Run samples on host and emulator and compare every bit with the NumPy meaning."""
        from netsuke.verify import default_backends
        from netsuke.verify import verify as prove

        backends = tuple(name for text in on for name in text.split(",")) if on else None
        with doing("verifying"):
            result = prove(
                folder, on=backends or default_backends(folder), vectors=vectors, seed=seed
            )
        if as_json:
            show_json(result.as_json())
        else:
            print("Bit-exact." if result.bit_exact else "NOT bit-exact.")
            print(f"  samples       {result.samples} on {', '.join(result.on)}")
            if result.instructions is not None:
                print(f"  instructions  {count(result.instructions)} a sample (emulated)")
            if result.cycles is not None:
                print(f"  cycles        {count(result.cycles)} at most a sample (emulated)")
            if result.modelled is not None:
                print(f"  cycles        {count(result.modelled['cycles'])} a sample (modelled)")
            if result.modelled is not None and result.modelled["latency"]:
                milliseconds = 1e3 * result.modelled["latency"]
                clock = result.modelled["clock"] / 1e6
                print(f"  latency       {milliseconds:,.3g} ms at {clock:g} MHz (modelled)")
            if result.stack is not None:
                print(f"  stack         {size(result.stack)}")
            print(f"  arena         {size(result.arena)}")
            if result.heap is not None:
                print(f"  heap          {size(result.heap)}")
            print(f"  certificate   {folder / 'certificate.json'}")
            if result.mismatch:
                print(f"  first difference: {result.mismatch}")
        if not result.bit_exact:
            raise typer.Exit(1)
