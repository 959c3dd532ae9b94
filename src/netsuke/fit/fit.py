"""From a model, data and limits to the smallest loss that holds them."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

from netsuke.data import Dataset
from netsuke.devices import Device, Limits
from netsuke.errors import DataError
from netsuke.fit.choose import is_only_drop, nothing_to_cut, over, within_drop, within_limits
from netsuke.fit.drop import paired_drop
from netsuke.fit.effort import Effort
from netsuke.fit.folder import RunFolder
from netsuke.fit.learning import Learning
from netsuke.fit.measure import evaluate_integers, prove, ship
from netsuke.fit.original import labelled, original, require_float
from netsuke.fit.result import FitResult
from netsuke.fit.sizing import Sizer, as_array, broken, targets
from netsuke.fit.space import Candidate, ChannelSpace, Sizes
from netsuke.ir import Array, Graph
from netsuke.train import Progress, Recipe, check_match, evaluate, fixed_threads
from netsuke.train.files import write_json


def fit(
    graph: Graph,
    data: Dataset,
    device: Device,
    limits: Limits | None = None,
    *,
    seed: int = 0,
    time: float = 120.0,
    out: Path | str | None = None,
    resume: bool = False,
    epochs: int | None = None,
    recipe: Recipe | None = None,
    progress: Progress | None = None,
) -> FitResult:
    """Shrink a float model until it holds the limits, with the smallest drop that was found.

    Channels are cut where they matter least, several ways; each candidate holds the limits
    exactly (its integers are compiled and planned), learns from the original for a while, and
    the best on validation data learns for the rest of the time. Its integers are then judged on
    the test part, which nothing before has seen.

    Parameters
    ----------
    graph
        A float graph with one input, from any frontend or the zoo. One that scores like
        guessing is trained first.
    data
        Training, validation and test part; without labels the original's answers are the labels.
    device
        Its memories are limits, too.
    limits
        Flash, RAM, instructions or latency, and the largest drop. With a drop alone the smallest
        network within it is searched for, by halving the flash.
    seed
        Same seed, threads and epochs: same result.
    time
        Seconds; training ends when they are used up.
    out
        Folder of the run: state, candidates, the small graph, its C, ``result.json``.
    resume
        Go on with the run in `out`.
    epochs
        Of the final training, in place of what the time allows; makes a run independent of the
        machine's speed.
    recipe
        How weights are trained (batch, rate, augmentation, threads).

    Returns
    -------
    FitResult
        With `met` False when the drop is larger than asked for.

    Raises
    ------
    LimitsNotMetError
        When not even one channel in every layer holds a limit; says which node is in the way.
    UsageError
        When the model is not float, or does not match the data.
    """
    recipe, limits = recipe or Recipe(seed=seed), limits or Limits()
    require_float(graph)
    check_match(graph, data)
    for name, part in data.parts.items():
        if not len(part):
            raise DataError(data.name, f"has no {name} samples; fit needs all three parts")
    key = {
        "model": graph.fingerprint(),
        "data": data.fingerprint(),
        "device": device.id,
        "limits": asdict(limits),
        "recipe": recipe.record(),
        "epochs": epochs,
        "time": time,
    }
    folder = RunFolder(None if out is None else Path(out), key, resume)
    told = None if epochs is None else _told(epochs, len(data.train))
    with fixed_threads(recipe.threads), progress or Progress() as bar:
        teacher = folder.graph(
            "original", lambda: original(graph, data, recipe, folder, time, told, bar)
        )
        unlabelled = data.train.targets is None
        data = labelled(teacher, data) if unlabelled else data
        learning = Learning(teacher, data, device, recipe, folder, time, told, bar)
        if unlabelled:
            learning.notes.append("The data have no labels: the metric is agreement.")
        sizer = Sizer(ChannelSpace(teacher), data, device)
        wanted = targets(limits, device)
        bar.at("sizes of the original", 0, 1)
        chosen, small = _choose(learning, sizer, limits, wanted)
        bar.at("judging the integers on the test part", 0, 1)
        result = _judge(learning, sizer, chosen, small, limits, wanted)
    if folder.folder is not None:
        result.artifact.write(folder.folder / "firmware")
        write_json(folder.folder / "result.json", result.as_json())
    return result


def _told(epochs: int, count: int) -> Effort:
    """The effort of a person who gave the epochs."""
    return Effort(count, max(1, epochs // 8) * count, epochs * count)


def _choose(
    learning: Learning, sizer: Sizer, limits: Limits, wanted: Array
) -> tuple[Candidate, Graph]:
    if over(sizer, wanted):
        sizer.require_possible(wanted)
        return within_limits(learning, sizer, learning.folder, wanted)
    sizes = (limits.flash, limits.ram, limits.instructions, limits.latency)
    if is_only_drop(sizes, limits.max_drop) and limits.max_drop is not None:
        return within_drop(learning, sizer, learning.folder, wanted, limits.max_drop)
    return nothing_to_cut(learning, sizer)


def _judge(
    learning: Learning,
    sizer: Sizer,
    chosen: Candidate,
    graph: Graph,
    limits: Limits,
    wanted: Array,
) -> FitResult:
    """Judge on the sealed part, once."""
    data, space = learning.data, sizer.space
    shipped = ship(graph, data, learning.device)
    small = evaluate_integers(shipped, data, data.test)
    before = evaluate(learning.teacher, data, data.test.take(len(small.losses)))
    drop = paired_drop(before.losses, small.losses)
    sizes = prove(shipped.artifact, shipped.sizes, learning.device)
    unmet = _unmet(sizes, wanted, drop.points, limits.max_drop)
    return FitResult(
        met=not unmet,
        unmet=tuple(unmet),
        graph=graph,
        quantized=shipped.quantized,
        artifact=shipped.artifact,
        sizes=sizes,
        original_sizes=sizer.sizes(space.whole()),
        metric=small.metric,
        original_metric=before.metric,
        drop=drop,
        widths={
            group.name: (group.units, width)
            for group, width in zip(space.groups, chosen.widths, strict=True)
        },
        attempts=tuple(learning.attempts),
        limits=limits,
        notes=tuple(learning.notes),
        effort=learning.effort.record() if learning.effort else {},
        seed=learning.recipe.seed,
        seconds=learning.folder.elapsed,
    )


def _unmet(sizes: Sizes, wanted: Array, points: float, most: float | None) -> list[str]:
    """Sentences about the limits that do not hold."""
    values = dict(zip(("flash", "ram", "instructions"), as_array(sizes), strict=True))
    bounds = dict(zip(values, wanted, strict=True))
    unmet = [
        f"{name}: {values[name]:,.0f} of at most {bounds[name]:,.0f}"
        for name in broken(sizes, wanted)
    ]
    if most is not None and points > most:
        unmet.append(f"drop: {points:.2f} points of at most {most:g}")
    return unmet
