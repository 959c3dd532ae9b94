"""From a float graph to an int8 graph, by calibration and a few epochs of training."""

from __future__ import annotations

from pathlib import Path

from netsuke.compress.qat.module import QuantizedModule
from netsuke.compress.quantize import prepare
from netsuke.data import Dataset
from netsuke.data.stored import stored_inputs
from netsuke.errors import UsageError
from netsuke.ir import Array, Graph
from netsuke.passes.edit import own_constants
from netsuke.train import Progress, Recipe, Trained, check_match, evaluate
from netsuke.train.loop import Place, learn
from netsuke.train.teaching import Teaching

RECIPE = Recipe(epochs=2, lr=3e-4, weight_decay=0.0)
"""What suits a trained network: small steps."""


def tune(
    graph: Graph,
    data: Dataset,
    recipe: Recipe | None = None,
    *,
    teacher: Graph | None = None,
    taught: Array | None = None,
    calibration: int | Array = 256,
    deadline: float | None = None,
    out: Path | str | None = None,
    resume: bool = False,
    progress: Progress | None = None,
    exact_epochs: int = 1,
    validate: bool = True,
    cache: Path | str | None = None,
) -> Trained:
    """Quantize a float graph and train it on; the returned graph is the integer one.

    Weights are on the int8 grid of their channel and activations on that of their tensor while the
    loss is computed; the gradient passes through the rounding, and the steps of the grids are
    learned, too (`netsuke.compress.qat.steps`).

    Parameters
    ----------
    graph
        A float graph with one input.
    data
        Its training part is learned from; its validation part is only looked at.
    recipe
        Of the training; few epochs at a small rate (`RECIPE`) suit a trained network. Hints are
        not for integers.
    teacher, taught, cache, deadline, out, resume, progress, validate
        As for `netsuke.train.train`.
    calibration
        How many training samples calibrate, or the samples ``(n, *shape)`` in the graph's form.
    exact_epochs
        So many epochs at the end compute the loss on the very integers that ship; before them, and
        where it is 0, the integers are simulated in float32, which is faster.

    Raises
    ------
    UsageError
        When graph, data and recipe do not match, or the checkpoint belongs to other ones.
    QuantizationError
        Naming the node that has no integer meaning.
    """
    recipe = recipe or RECIPE
    if recipe.hint or recipe.hint_epochs:
        raise UsageError("hints guide float networks; quantize with hint=0 and hint_epochs=0")
    if exact_epochs < 0:
        raise UsageError(f"{exact_epochs} epochs on exact integers are no number of epochs")
    check_match(graph, data)
    plain = own_constants(graph)
    samples = (
        stored_inputs(plain, data.train.take(calibration).samples)
        if isinstance(calibration, int)
        else calibration
    )
    prepared = prepare(plain, samples)
    teaching = Teaching(teacher, taught, data, recipe, _folder(cache, out))
    module = QuantizedModule(prepared, recipe.epochs - exact_epochs)
    key = {
        "graph": plain.fingerprint(),
        "teacher": teaching.fingerprint(),
        "data": data.fingerprint() if out is not None else "",
        "recipe": {**recipe.record(), "exact_epochs": exact_epochs, "calibration": len(samples)},
    }

    def judge() -> float:
        return evaluate(module.export(), data, data.validation).metric

    place = Place(None if out is None else Path(out), resume, key)
    look = judge if validate else None
    history, finished = learn(module, data, recipe, teaching, look, place, deadline, progress)
    return Trained(module.export(), history, finished)


def _folder(cache: Path | str | None, out: Path | str | None) -> Path | None:
    if cache is not None:
        return Path(cache)
    return None if out is None else Path(out) / "teacher"
