"""Where designs learn: in this process, or as tasks of a Ray cluster.

A job is a pure function of what it is given, so that a design learns the same wherever it does:
same seed, same threads, same order of samples.
"""

from __future__ import annotations

import functools
import logging
import socket
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from time import monotonic
from typing import Any

from netsuke.compress.edits import Edit, view
from netsuke.data import Dataset
from netsuke.errors import MissingToolError, UsageError
from netsuke.fit.effort import with_visits
from netsuke.ir import Array, Graph, load_graph, save_graph
from netsuke.ops import OPERATORS
from netsuke.train import Progress, Recipe, evaluate, fixed_threads, train


@dataclass(frozen=True, slots=True, eq=False)
class Lesson:
    """What every design learns from.

    Attributes
    ----------
    data
        As the original takes it.
    taught
        The original's scores of the training samples ``(n, k)``, of their views
        ``(views, n, k)``, or None.
    recipe
        How weights are trained.
    judged
        Validation samples that score a design.
    floors
        Class -> least accuracy in points.
    """

    data: Dataset
    taught: Array | None
    recipe: Recipe
    judged: int
    floors: tuple[tuple[str, float], ...] = ()


@dataclass(frozen=True, slots=True)
class Job:
    """One design's training at one rung.

    Attributes
    ----------
    name
        Of the design and the rung.
    graph
        Its float graph with the weights it begins with, as bytes.
    inputs
        Edits that change what the data must be.
    visits
        Samples that it learns from; repeated ones count again.
    seconds
        When training must stop, from its beginning; None: never.
    """

    name: str
    graph: bytes
    inputs: tuple[Edit, ...]
    visits: int
    seconds: float | None = None


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a job made.

    Attributes
    ----------
    name
        Of the job.
    graph
        The trained float graph, as bytes.
    score
        Points on validation data, less what classes miss of their floors.
    losses
        Of the training, one an epoch.
    finished
        False when the time ran out.
    """

    name: str
    graph: bytes
    score: float
    losses: tuple[float, ...]
    finished: bool


def learn(lesson: Lesson, job: Job, bar: Progress | None = None) -> Outcome:
    """Do a job."""
    data = seen(lesson.data, job.inputs)
    recipe = with_visits(lesson.recipe, job.visits, len(data.train))
    trained = train(
        load_graph(job.graph, OPERATORS, job.name),
        data,
        recipe,
        taught=lesson.taught,
        deadline=None if job.seconds is None else monotonic() + job.seconds,
        validate=False,
        progress=bar or Progress(visible=False),
    )
    with fixed_threads(recipe.threads):
        value = score(trained.graph, data, lesson.judged, lesson.floors)
    losses = tuple(entry["loss"] for entry in trained.history)
    return Outcome(job.name, save_graph(trained.graph), value, losses, trained.finished)


def score(graph: Graph, data: Dataset, judged: int, floors: Sequence[tuple[str, float]]) -> float:
    """Points of a float graph on validation data, less what classes miss of their floors."""
    found = evaluate(graph, data, data.validation.take(judged))
    return found.metric - sum(shortfalls(found.losses, data, judged, floors).values())


def shortfalls(
    losses: Array, data: Dataset, judged: int, floors: Sequence[tuple[str, float]]
) -> dict[str, float]:
    """Class -> points that it misses of its floor, where it does."""
    if not floors:
        return {}
    labels = data.validation.take(judged).labels
    return {name: gap for name, gap in gaps(losses, labels, data, floors).items() if gap > 0}


def gaps(
    losses: Array, labels: Array, data: Dataset, floors: Sequence[tuple[str, float]]
) -> dict[str, float]:
    """Class -> floor minus accuracy, in points; classes without samples have none."""
    result = {}
    for name, floor in floors:
        chosen = labels == data.classes.index(name)
        if chosen.any():
            result[name] = floor - 100.0 * (1.0 - float(losses[chosen].mean()))
    return result


@functools.lru_cache(maxsize=4)
def _seen(data: Dataset, inputs: tuple[Edit, ...]) -> Dataset:
    return view(data, inputs)


def seen(data: Dataset, inputs: tuple[Edit, ...]) -> Dataset:
    """The data after edits of the input."""
    return _seen(data, inputs) if inputs else data


Workers = Callable[[Lesson, Sequence[Job], Progress], Iterator[Outcome]]
"""Does jobs and hands over outcomes as they come, in any order."""


def here(lesson: Lesson, jobs: Sequence[Job], bar: Progress) -> Iterator[Outcome]:
    """One after another, in this process."""
    for number, job in enumerate(jobs):
        bar.at(f"{job.name} ({number + 1} of {len(jobs)})", number, len(jobs))
        yield learn(lesson, job)


class Cluster:
    """Jobs as tasks of a Ray cluster; each takes as many cores as the recipe has threads.

    Parameters
    ----------
    address
        Of the cluster's head: ``auto``, ``host:port``, or ``ray://host:port``.

    Raises
    ------
    MissingToolError
        Without the package ray.
    UsageError
        When no cluster answers there.
    """

    def __init__(self, address: str) -> None:
        try:
            import ray
        except ImportError:
            raise MissingToolError(
                "ray", "to search on a cluster", "pip install 'netsuke[cluster]'"
            ) from None
        self._ray = ray
        if not ray.is_initialized():
            _require_listener(address)  # Ray ends the whole process when nobody answers
            try:
                ray.init(address=address, log_to_driver=False, logging_level=logging.ERROR)
            except Exception as error:  # Ray raises what it likes
                first = (str(error).strip() or type(error).__name__).splitlines()[0]
                raise UsageError(
                    f"no Ray cluster answers at {address}: {first}; "
                    "start one with `ray start --head`"
                ) from None

    def __call__(self, lesson: Lesson, jobs: Sequence[Job], bar: Progress) -> Iterator[Outcome]:
        ray = self._ray
        shared = ray.put(lesson)
        task = ray.remote(num_cpus=lesson.recipe.threads, max_retries=3)(learn)
        waiting = [task.remote(shared, job) for job in jobs]
        while waiting:
            ready = len(jobs) - len(waiting)
            bar.at(f"{ready} of {len(jobs)} designs", ready, len(jobs))
            done, waiting = ray.wait(waiting, num_returns=1)
            yield from ray.get(done)


def _require_listener(address: str) -> None:
    """Refuse an address at which nobody listens."""
    host, _, port = address.removeprefix("ray://").rpartition(":")
    if not host:
        return  # "auto": Ray looks for a local cluster itself
    try:
        socket.create_connection((host, int(port)), timeout=10).close()
    except (OSError, ValueError) as error:
        raise UsageError(
            f"no Ray cluster answers at {address}: {error}; start one with `ray start --head`"
        ) from None


def as_tuple(floors: Any) -> tuple[tuple[str, float], ...]:
    """Floors in a fixed order."""
    return tuple(sorted((str(name), float(value)) for name, value in dict(floors or {}).items()))
