"""What `netsuke fit` prints about a network."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from netsuke.cli.output import count, size

if TYPE_CHECKING:
    from netsuke.fit import FitResult
    from netsuke.fit.result import Attempt


def show_fit(result: FitResult, out: Path) -> None:
    """Print what was found, the front, and the line that runs it again."""
    print("All limits are met." if result.met else "NOT all limits are met:")
    for sentence in (*result.unmet, *result.notes):
        print(f"  {sentence}")
    print(f"  flash         {size(result.sizes.flash)}")
    print(f"  RAM           {size(result.sizes.ram)}")
    print(f"  instructions  {count(result.sizes.instructions)}")
    print(
        f"  accuracy      {result.metric:.2f} %  (drop {result.drop.points:+.2f} points, "
        f"at most {result.drop.bound:+.2f} with 95 % confidence)"
    )
    for line in _details(result):
        print(f"  {line}")
    print(f"  artifact      {out / 'firmware'}")
    front = sorted(result.front, key=lambda each: (-each.metric, each.sizes.flash))
    if front:
        print(f"The front of {len(result.attempts)} designs (in float, on validation data):")
    for each in front:
        print(f"  {_design(each)}{'  (chosen)' if each.design.key == result.design.key else ''}")
    command = result.replay().get("command")
    if command:
        print(f"To run it again: {command}")


def _details(result: FitResult) -> Iterator[str]:
    """Floors, changes besides widths, and steps of the camera, where there are any."""
    for change in result.classes:
        if change.floor is not None:
            yield f"class {change.name}: {change.after:.2f} % of at least {change.floor:g} %"
    for edit in result.design.edits:
        yield f"changed       {edit}"
    for step in result.camera.get("steps", ()):
        told = ", ".join(f"{name} {value}" for name, value in step.items() if name != "step")
        yield f"camera        {step['step']}: {told}"


def _design(attempt: Attempt) -> str:
    sizes, design = attempt.sizes, attempt.design
    changed = ", ".join(map(str, design.edits)) or design.family or design.origin
    return (
        f"{attempt.metric:6.2f}  {size(sizes.flash):>9} flash  {size(sizes.ram):>9} RAM  "
        f"{count(sizes.instructions):>8} instructions  {changed}"
    )
