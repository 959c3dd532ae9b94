"""The state of a training on the disk, exact to the bit."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch

from netsuke.errors import UsageError
from netsuke.ir import Array
from netsuke.train.files import read_arrays, write_arrays
from netsuke.train.optimizer import Average


def save_checkpoint(
    path: Path,
    key: dict[str, Any],
    module: Any,
    optimizer: Any,
    history: list[dict[str, float]],
    average: Average,
) -> None:
    """Write weights, their average, the optimizer's moments and the history at once.

    Parameters
    ----------
    path
        An ``.npz``; the old one stays whole until the new one is.
    key
        What the training belongs to; a resumed training must have the same.
    """
    arrays: dict[str, Array] = {
        f"value {name}": value.detach().numpy() for name, value in module.values().items()
    }
    for number, state in optimizer.state_dict()["state"].items():
        for field, value in state.items():
            if value is not None:
                arrays[f"state {number} {field}"] = torch.as_tensor(value).numpy()
    arrays.update({f"average {name}": value.numpy() for name, value in average.shadow.items()})
    write_arrays(path, arrays, {"key": key, "history": history})


def load_checkpoint(
    path: Path, key: dict[str, Any], module: Any, optimizer: Any, average: Average
) -> list[dict[str, float]]:
    """Put a checkpoint's state into a module, its optimizer and the average; return the history.

    Raises
    ------
    UsageError
        When it belongs to another graph, data set or recipe.
    DataError
        When it is damaged.
    """
    arrays, note = read_arrays(path)
    for field, value in key.items():
        if note["key"].get(field) != value:
            raise UsageError(
                f"{path} belongs to another {field}; give another folder, or do not resume"
            )
    with torch.no_grad():
        for name, value in module.values().items():
            value.copy_(torch.from_numpy(arrays[f"value {name}"]))
        for name, value in average.shadow.items():
            value.copy_(torch.from_numpy(arrays[f"average {name}"]))
    states: dict[int, dict[str, Any]] = {}
    for name, array in arrays.items():
        if name.startswith("state "):
            _, number, field = name.split(" ")
            states.setdefault(int(number), {})[field] = torch.from_numpy(array.copy())
    whole = optimizer.state_dict()
    whole["state"] = states
    optimizer.load_state_dict(whole)
    history: list[dict[str, float]] = note["history"]
    return history
