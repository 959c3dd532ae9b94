"""From a model, data and limits to the smallest loss that holds them."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from netsuke.codegen.onnx import to_onnx
from netsuke.compress.edits import frame
from netsuke.compress.importance import magnitude
from netsuke.data import Dataset
from netsuke.devices import Device, Limits
from netsuke.errors import DataError, UsageError
from netsuke.files import write_whole
from netsuke.fit.drop import paired_drop
from netsuke.fit.effort import told as told_effort
from netsuke.fit.folder import RunFolder
from netsuke.fit.impossible import require_possible
from netsuke.fit.judge import changes, flips, unmet
from netsuke.fit.learning import Learning
from netsuke.fit.measure import evaluate_integers, prove
from netsuke.fit.original import labelled, original, prepared, require_float
from netsuke.fit.pictures import write_pictures
from netsuke.fit.replay import asked
from netsuke.fit.result import FitResult, Sensitivity
from netsuke.fit.sensitivity import sensitivity, single_changes
from netsuke.fit.sizing import LIMITS, Sizer, targets
from netsuke.fit.space import DesignSpace
from netsuke.fit.trials import Trials
from netsuke.fit.ways import Chosen, choose, design_space
from netsuke.fit.workers import Cluster, as_tuple, here, seen
from netsuke.ir import Array, Graph
from netsuke.train import Progress, Recipe, check_match, evaluate, fixed_threads
from netsuke.train.files import write_json

LOOKING = 0.03
"""Share of the time that measuring sensitivity may take."""
SPEED = 1e10
"""Multiply-accumulates a second of PyTorch, about."""
LEAST_SAMPLES, MOST_SAMPLES = 64, 512


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
    designs: int | None = None,
    recipe: Recipe | None = None,
    families: Sequence[str] = (),
    storage: str | None = None,
    cluster: str | None = None,
    origins: Mapping[str, str] | None = None,
    progress: Progress | None = None,
) -> FitResult:
    """Search for the network that holds the limits with the smallest drop.

    Channels, blocks, kernels, stride, resolution and colour are changed; every design that is
    trained at all holds the limits exactly (its integers are planned, the models of code and
    instructions corrected by a linker and an emulator). Designs learn from the original, cheap
    before dear (`netsuke.fit.search`); the best learns for the rest of the time. Its integers are
    then judged on the test part, which nothing before has seen.

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
        Flash, RAM, instructions or latency, the largest drop, and floors of classes. With a drop
        alone the smallest network within it is searched for, by halving the flash.
    seed
        Same seed, threads and epochs: same result, on any number of workers.
    time
        Seconds; training ends when they are used up.
    out
        Folder of the run: state, designs, ``small.onnx`` (float), ``quantized.onnx`` (int8), the C
        in ``firmware``, ``result.json``.
    resume
        Go on with the run in `out`.
    epochs
        Of the final training, in place of what the time allows; makes a run independent of the
        machine's speed.
    designs
        How many designs begin; None: as many as the time allows.
    recipe
        How weights are trained (batch, rate, augmentation, threads).
    families
        Specs of zoo networks that may take the original's place, such as
        ``mobilenet_v2?width=0.35``; input shape and classes are filled in.
    storage
        SQLAlchemy URL of the trials; None: a SQLite file in `out`.
    cluster
        Address of a Ray cluster on which designs learn.
    origins
        Texts from which ``model``, ``data`` and ``device`` were read; with them the result can say
        how to repeat the run.
    progress
        Shows how far it is; None: a line on the terminal.

    Returns
    -------
    FitResult
        With `met` False when the drop is larger than asked for.

    Raises
    ------
    LimitsNotMetError
        When not even the smallest design of the space holds a limit; with the lower bound, the
        node in the way and the cheapest relaxation.
    UsageError
        When the model is not float, or does not match the data.
    """
    recipe, limits = recipe or Recipe(seed=seed), limits or Limits()
    _check(graph, data, {"epochs": epochs, "designs": designs})
    floors = _floors(limits, data)
    key = {
        "model": graph.fingerprint(),
        "data": data.fingerprint(),
        "device": device.id,
        "limits": asdict(limits),
        "recipe": recipe.record(),
        "epochs": epochs,
        "designs": designs,
        "families": list(families),
        "time": time,
    }
    workers = here if cluster is None else Cluster(cluster)
    folder = RunFolder(None if out is None else Path(out), key, resume)
    trials = Trials(storage or folder.folder, _study(graph, key))
    told = None if epochs is None else told_effort(epochs, designs, len(data.train))
    wanted = targets(limits, device)
    with fixed_threads(recipe.threads), progress or Progress() as bar:
        bar.at("whether the limits can hold at all", 0, 1)
        plain = DesignSpace(prepared(graph), data, None, magnitude)
        require_possible(Sizer(plain, device), wanted)
        teacher = folder.graph(
            "original", lambda: original(graph, data, recipe, folder, time, told, bar)
        )
        unlabelled = data.train.targets is None
        data = labelled(teacher, data) if unlabelled else data
        learning = Learning(
            *(teacher, data, recipe, folder, trials, time, told, workers, floors, bar)
        )
        if unlabelled:
            learning.notes.append("The data have no labels: the metric is agreement.")
        bar.at("importance of channels", 0, 1)
        space = design_space(learning, "importance", teacher, _filled(families, data))
        sizer = Sizer(space, device)
        bar.at("sizes of the original", 0, 1)
        chosen = choose(learning, sizer, limits, wanted, designs)
        found = _sensitivity(learning, sizer) if learning.attempts else ()
        bar.at("judging the integers on the test part", 0, 1)
        request = asked(origins or {}, graph, data, device, key)
        result = _judge(learning, sizer, chosen, limits, wanted, found, request)
    if folder.folder is not None:
        _deliver(folder.folder, result, data)
    return result


def _check(graph: Graph, data: Dataset, counts: Mapping[str, int | None]) -> None:
    for option, value in counts.items():
        if value is not None and not 1 <= value <= 100_000:
            raise UsageError(f"{option}={value}: give a number between 1 and 100,000")
    require_float(graph)
    check_match(graph, data)
    for name, part in data.parts.items():
        if not len(part):
            raise DataError(data.name, f"has no {name} samples; fit needs all three parts")


def _study(graph: Graph, key: Mapping[str, Any]) -> str:
    """Name of a run's trials: the same for the same question."""
    digest = hashlib.sha256(json.dumps(key, sort_keys=True).encode()).hexdigest()
    return f"netsuke-{graph.name}-{digest[:16]}"


def _deliver(folder: Path, result: FitResult, data: Dataset) -> None:
    """Write what a run ends with; the result last, because it says that all is there."""
    result.artifact.write(folder / "firmware")
    write_pictures(folder, result.flips, data.test)
    write_whole(folder / "small.onnx", to_onnx(result.graph))
    write_whole(folder / "quantized.onnx", to_onnx(result.quantized))
    write_json(folder / "result.json", result.as_json())


def _floors(limits: Limits, data: Dataset) -> tuple[tuple[str, float], ...]:
    strange = [name for name in limits.floors if name not in data.classes]
    if strange:
        known = ", ".join(data.classes[:20])
        raise UsageError(f"{data.name} has no class {strange[0]!r}; its classes are: {known}")
    return as_tuple(limits.floors)


def _filled(families: Sequence[str], data: Dataset) -> tuple[str, ...]:
    """Specs with the data's shape and classes."""
    filled = []
    for spec in families:
        more = [f"classes={max(len(data.classes), 1)}"]
        if len(data.shape) == 3:
            height, width, channels = data.shape
            more += [f"size={height}x{width}", f"channels={channels}"]
        given = spec.partition("?")[2]
        kept = [option for option in more if f"{option.split('=')[0]}=" not in given]
        filled.append("&".join([spec if "?" in spec else f"{spec}?", *kept]).replace("?&", "?"))
    return tuple(filled)


def _sensitivity(learning: Learning, sizer: Sizer) -> tuple[Sensitivity, ...]:
    """Measured with what samples a small share of the time allows, once."""
    space = sizer.space
    count = sum(1 for _ in single_changes(space)) + 1
    affordable = LOOKING * learning.time * SPEED / (2 * count * max(learning.teacher.macs, 1))
    samples = int(min(max(affordable, LEAST_SAMPLES), MOST_SAMPLES))

    def make() -> list[dict[str, Any]]:
        return [asdict(each) for each in sensitivity(space, samples, learning.bar)]

    return tuple(Sensitivity(**each) for each in learning.folder.values("sensitivity", make))


def _judge(
    learning: Learning,
    sizer: Sizer,
    chosen: Chosen,
    limits: Limits,
    wanted: Array,
    found: tuple[Sensitivity, ...],
    request: Mapping[str, Any],
) -> FitResult:
    """Judge on the sealed part, once."""
    design, shipped = chosen.design, chosen.finished.shipped
    data = learning.data
    inputs = design.inputs
    small = evaluate_integers(shipped, seen(data, inputs), seen(data, inputs).test)
    judged = data.test.take(len(small.losses))
    before = evaluate(learning.teacher, data, judged)
    drop = paired_drop(before.losses, small.losses)
    sizes = prove(shipped.artifact, shipped.sizes, sizer.device)
    labels = judged.labels
    sentences = unmet(sizes, wanted, drop.points, limits, small, labels, data)
    return FitResult(
        met=not sentences,
        unmet=tuple(sentences),
        design=design,
        graph=chosen.finished.graph,
        quantized=shipped.quantized,
        artifact=shipped.artifact,
        sizes=sizes,
        original_sizes=sizer.sizes(sizer.space.whole()),
        metric=small.metric,
        original_metric=before.metric,
        drop=drop,
        classes=changes(before, small, labels, data, limits),
        flips=flips(before, small, labels, data),
        widths=_widths(sizer, chosen),
        attempts=tuple(learning.attempts.values()),
        limits=limits,
        notes=tuple(learning.notes),
        effort=chosen.effort.record() if chosen.effort else {},
        recipe=learning.recipe.record(),
        seed=learning.recipe.seed,
        seconds=learning.folder.elapsed,
        sensitivity=found,
        curves=learning.curves,
        camera=frame(inputs),
        bounds=dict(zip(LIMITS, map(float, wanted), strict=True)),
        request=request,
    )


def _widths(sizer: Sizer, chosen: Chosen) -> dict[str, tuple[int, int]]:
    """Group -> (units before, units after)."""
    groups = chosen.space.skeleton_of(chosen.design).groups
    after = dict(zip((group.name for group in groups), chosen.design.widths, strict=True))
    if chosen.design.family:
        return {name: (width, width) for name, width in after.items()}
    return {group.name: (group.units, after.get(group.name, 0)) for group in sizer.space.groups}
