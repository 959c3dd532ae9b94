"""What a run was asked, and the command that asks it again."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from dataclasses import MISSING, asdict, fields
from typing import Any

from netsuke.data import Dataset
from netsuke.devices import Device, Limits
from netsuke.ir import Graph
from netsuke.train import Recipe

AGAIN = "again"
"""Folder of a repeated run."""


def asked(
    origins: Mapping[str, str], graph: Graph, data: Dataset, device: Device, key: Mapping[str, Any]
) -> dict[str, Any]:
    """Names and fingerprints of what a run was given, as plain values.

    Parameters
    ----------
    origins
        Texts from which ``model``, ``data`` and ``device`` were read, where they were.
    graph, data, device
        What they were read as.
    key
        Fingerprints and options of the run.
    """
    parts = {name: len(part) for name, part in data.parts.items()}
    return {
        "model": {
            "given": origins.get("model", ""),
            "name": graph.name,
            "fingerprint": key["model"],
        },
        "data": {
            "given": origins.get("data", ""),
            "name": data.name,
            "samples": parts,
            "shape": list(data.shape),
            "task": data.task,
            "classes": list(data.classes),
            "fingerprint": key["data"],
        },
        "device": {
            "given": origins.get("device", ""),
            "id": device.id,
            "name": device.name,
            "core": device.core,
            "isa": sorted(device.isa),
            "flash": device.flash,
            "ram": device.ram,
        },
        **{name: key[name] for name in ("time", "epochs", "designs", "families")},
    }


def command(request: Mapping[str, Any], limits: Limits, recipe: Mapping[str, Any]) -> str | None:
    """The command line that repeats a run.

    None where no command line can say it: model or data were objects of a program, or the recipe
    has more to it than the command has options.
    """
    model, data = (request[name]["given"] for name in ("model", "data"))
    plain = Recipe(seed=recipe["seed"], augment=recipe["augment"], threads=recipe["threads"])
    if not model or not data or plain.record() != dict(recipe):
        return None
    words = ["netsuke", "fit", model, "--data", data, "--device", _device(request)]
    for name in ("flash", "ram", "instructions", "max_drop"):
        words += _option(name, getattr(limits, name))
    words += _option("latency", limits.latency, "s")
    for name, points in sorted(limits.floors.items()):
        words += ["--floor", f"{name}={_number(points)}"]
    words += _option("time", request["time"], "s")
    for name in ("epochs", "designs"):
        words += _option(name, request[name])
    for spec in request["families"]:
        words += ["--family", spec]
    if recipe["augment"] != "none":
        words += _option("augment", recipe["augment"])
    words += [*_option("threads", recipe["threads"]), *_option("seed", recipe["seed"])]
    return shlex.join([*words, "-o", AGAIN])


def python_call(request: Mapping[str, Any], limits: Limits, recipe: Mapping[str, Any]) -> str:
    """The same as a Python program; objects that nobody can name are called by what they are."""
    model, data = (request[name]["given"] for name in ("model", "data"))
    lines = [
        repr(model) if model else "graph",
        repr(_device(request)),
        repr(data) if data else "dataset",
        f"nk.{_value(Limits, asdict(limits))}",
        *(f"{name}={request[name]!r}" for name in ("time", "epochs", "designs", "families")),
        f"recipe={_value(Recipe, recipe)}",
        f"out={AGAIN!r}",
    ]
    shown = [line for line in lines if not line.endswith(("=None", "=[]"))]
    imports = "import netsuke as nk\nfrom netsuke.train import Recipe\n\n"
    return imports + "result = nk.fit(\n" + "".join(f"    {line},\n" for line in shown) + ")\n"


def _device(request: Mapping[str, Any]) -> str:
    return str(request["device"]["given"] or request["device"]["id"])


def _option(name: str, value: object, unit: str = "") -> Sequence[str]:
    text = value if isinstance(value, str) else _number(value)
    return () if value is None else (f"--{name.replace('_', '-')}", f"{text}{unit}")


def _number(value: object) -> str:
    """A number in as few digits as say it exactly."""
    short = f"{value:g}" if isinstance(value, float) else ""
    return short if short and float(short) == value else repr(value)


def _value(kind: type[Limits] | type[Recipe], values: Mapping[str, Any]) -> str:
    """A dataclass as the call that makes it, without what it has by default."""
    told = []
    for field in fields(kind):
        made = field.default_factory() if field.default_factory is not MISSING else field.default
        if values[field.name] != made:
            told.append(f"{field.name}={values[field.name]!r}")
    return f"{kind.__name__}({', '.join(told)})"
