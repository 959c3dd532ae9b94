"""A result says how to repeat its run, in words that the command line and Python read."""

from __future__ import annotations

import ast
import shlex
from dataclasses import asdict
from typing import Any

import numpy as np
import pytest

from netsuke.cli.commands.fit import _floors, seconds
from netsuke.data import from_arrays
from netsuke.devices import Limits, device
from netsuke.devices.catalogue import parse_size
from netsuke.fit.replay import asked, command, python_call
from netsuke.models import build
from netsuke.train import Recipe

LIMITS = Limits(
    flash=24577, latency=0.0501, max_drop=1 / 3, floors={"a b=c": 99.5, "$(rm -r ~)'\"": 1.0}
)
ORIGINS = {"model": "my nets/net.onnx?x=1x8", "data": "d;echo", "device": "own.toml"}


def request(origins: dict[str, str] = ORIGINS, **options: Any) -> dict[str, Any]:
    arrays = (np.zeros((2, 8, 8, 1)), np.array([0, 1]))
    key = {"model": "0a", "data": "1b", "time": 600.1, "epochs": 3, "designs": None, "families": []}
    data = from_arrays(arrays, arrays, arrays)
    graph = build("lenet?size=8&width=0.5")
    return asked(origins, graph, data, device("nucleo-f446re"), {**key, **options})


def options(text: str) -> dict[str, list[str]]:
    """Option -> its values, as a shell would hand them over."""
    words = shlex.split(text)
    found: dict[str, list[str]] = {}
    for name, value in zip(words[3::2], words[4::2], strict=True):
        found.setdefault(name, []).append(value)
    return {"words": words[:3], **found}


def test_a_command_line_comes_back_as_what_was_asked() -> None:
    recipe = Recipe(seed=7, augment="flip", threads=1).record()
    text = command(request(families=["vgg&7"]), LIMITS, recipe)
    assert text is not None
    found = options(text)
    assert found["words"] == ["netsuke", "fit", ORIGINS["model"]]
    assert (found["--data"], found["--device"]) == (["d;echo"], ["own.toml"])
    assert parse_size(found["--flash"][0]) == 24577 and "--ram" not in found
    assert seconds(found["--latency"][0]) == 0.0501 and seconds(found["--time"][0]) == 600.1
    assert float(found["--max-drop"][0]) == 1 / 3
    assert _floors(found["--floor"]) == dict(LIMITS.floors)
    assert found["--family"] == ["vgg&7"] and found["--epochs"] == ["3"]
    assert "--designs" not in found and found["--seed"] == ["7"] and found["--threads"] == ["1"]
    assert found["--augment"] == ["flip"] and found["-o"] == ["again"]


@pytest.mark.parametrize(
    ("origins", "recipe"),
    [({"data": "digits"}, Recipe()), ({"model": "x.onnx"}, Recipe()), (ORIGINS, Recipe(lr=0.5))],
)
def test_what_options_cannot_say_has_no_command(origins: dict[str, str], recipe: Recipe) -> None:
    assert command(request(origins), Limits(), recipe.record()) is None


def test_the_python_call_has_the_same_values() -> None:
    recipe = Recipe(lr=0.5, seed=7)
    text = python_call(request(), LIMITS, recipe.record())
    call = ast.parse(text).body[-1].value  # type: ignore[attr-defined]
    assert [ast.literal_eval(argument) for argument in call.args[:3]] == [
        *(ORIGINS["model"], ORIGINS["device"], ORIGINS["data"])
    ]
    limits = {word.arg: ast.literal_eval(word.value) for word in call.args[3].keywords}
    assert Limits(**limits) == LIMITS
    words = {word.arg: word.value for word in call.keywords}
    assert "designs" not in words and ast.literal_eval(words["epochs"]) == 3
    again = {word.arg: ast.literal_eval(word.value) for word in words["recipe"].keywords}
    assert Recipe(**again) == recipe and asdict(Recipe()) != again


def test_objects_of_a_program_are_called_by_what_they_are() -> None:
    text = python_call(request({}), Limits(), Recipe().record())
    assert "    graph,\n    'nucleo-f446re',\n    dataset,\n    nk.Limits(),\n" in text
