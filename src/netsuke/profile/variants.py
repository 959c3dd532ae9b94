"""Configurations that are compared: a TOML file names them.

::

    name = "CNN on MNIST"               # title of the page
    command = ["python", "mnist.py"]    # for all; runs in the folder of the file
    repeat = 3
    interval = 0.1
    environment = {OMP_NUM_THREADS = "1"}
    lines = {train = "^training"}       # phases by lines of output; also calls = {...}
    metrics = {accuracy = 'accuracy: ([\\d.]+)'}

    [[variant]]
    name = "SAME, whole"
    arguments = ["--padding", "same"]   # behind the command; also command, environment

Ratios in tables are against the first variant.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from netsuke.errors import UsageError
from netsuke.profile.job import Job

TOP = {"name", "repeat", "variant"}
FIELDS = {"command", "arguments", "environment", "interval", "lines", "calls", "metrics"}
FIELDS |= {"shared", "timeout"}
KINDS = {str: "text", int: "whole number", bool: "true or false"}
MOST = 1 << 20
"""Bytes of a file of variants."""


def read_variants(
    path: Path,
    repeat: int | None = None,
    interval: float | None = None,
    arguments: Sequence[str] = (),
) -> tuple[str, list[Job]]:
    """Return the title and the jobs of a file of variants.

    Parameters
    ----------
    path
        The TOML file.
    repeat, interval
        Instead of what the file says.
    arguments
        Behind those of every variant.

    Raises
    ------
    UsageError
        When it cannot be read, or holds what it should not.
    """
    try:
        with open(path, "rb") as file:
            fields = tomllib.loads(file.read(MOST).decode("utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise UsageError(f"{path}: cannot be read as TOML: {error}") from None
    _expect(fields, TOP | FIELDS, str(path))
    variants = fields.get("variant", [{}])
    if not isinstance(variants, list) or not variants:
        raise UsageError(f"{path}: [[variant]] is not a list of tables")
    jobs = []
    for number, variant in enumerate(variants):
        place = f"{path}: variant {number + 1}"
        if not isinstance(variant, dict):
            raise UsageError(f"{place} is not a table")
        _expect(variant, {"name"} | FIELDS, place)
        jobs.append(_job(fields, variant, place, path.parent, arguments, repeat, interval))
    names = [job.title for job in jobs]
    if len(set(names)) < len(names):
        raise UsageError(f"{path}: two variants are called {max(names, key=names.count)!r}")
    title = fields.get("name", path.stem)
    if not isinstance(title, str):
        raise UsageError(f"{path}: name is not a text")
    return title, jobs


def _expect(fields: Mapping[str, Any], known: set[str], place: str) -> None:
    unknown = sorted(set(fields) - known)
    if unknown:
        raise UsageError(f"{place} has no {unknown[0]!r}; it takes {', '.join(sorted(known))}")


def _job(
    base: Mapping[str, Any],
    own: Mapping[str, Any],
    place: str,
    folder: Path,
    arguments: Sequence[str],
    repeat: int | None,
    interval: float | None,
) -> Job:
    def texts(name: str) -> tuple[str, ...]:
        value = own.get(name, base.get(name, []))
        if not (isinstance(value, list) and all(isinstance(part, str) for part in value)):
            raise UsageError(f"{place}: {name} is not a list of texts")
        return tuple(value)

    def table(name: str) -> dict[str, str]:
        merged: dict[str, str] = {}
        for level in (base, own):
            value = level.get(name, {})
            if not (isinstance(value, dict) and all(isinstance(v, str) for v in value.values())):
                raise UsageError(f"{place}: {name} is not a table of texts")
            merged |= value
        return merged

    def number(name: str, default: float | None) -> float | None:
        value = own.get(name, base.get(name, default))
        if value is not None and (isinstance(value, bool) or not isinstance(value, int | float)):
            raise UsageError(f"{place}: {name} is not a number")
        return value

    def kind(name: str, wanted: type, default: Any) -> Any:
        value = own.get(name, base.get(name, default))
        if type(value) is not wanted:
            raise UsageError(f"{place}: {name} is not a {KINDS[wanted]}")
        return value

    wanted = number("interval", 0.1) if interval is None else interval
    try:
        return Job(
            command=(*texts("command"), *texts("arguments"), *arguments),
            name=kind("name", str, "") if "name" in own else "",
            environment=table("environment"),
            folder=folder,
            repeat=kind("repeat", int, 3) if repeat is None else repeat,
            interval=float(wanted or 0.0),
            lines=table("lines"),
            calls=table("calls"),
            metrics=table("metrics"),
            shared=kind("shared", bool, False),
            timeout=number("timeout", None),
        )
    except UsageError as error:
        raise UsageError(f"{place}: {error}") from None
