"""The main job in Python: the functions behind the command line.

>>> import netsuke as nk
>>> verdict = nk.check("lenet?width=0.5", "nucleo-f446re")
>>> verdict.fits
True
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from netsuke.devices import Device, Limits
from netsuke.devices import device as find_device
from netsuke.errors import DoesNotFitError, UnsupportedOperatorError, UsageError
from netsuke.ir import Array, Graph
from netsuke.spec import parse_spec

if TYPE_CHECKING:
    from netsuke.codegen import Artifact
    from netsuke.compress.low_rank import Factorised
    from netsuke.compress.prune import Pruned
    from netsuke.data import Dataset
    from netsuke.estimators import SoftDecisionTreeClassifier
    from netsuke.estimators.search import TableFit
    from netsuke.fit import FitResult
    from netsuke.profile import Profile
    from netsuke.profile.estimate import Estimate
    from netsuke.schedule.costs import Costs
    from netsuke.verify import Verification

ROUNDINGS = ("nearest", "adaround")
"""How weights can become integers (`quantize`)."""


def load(
    model: Any, optimize: bool = True, samples: Any = None, trust_pickle: bool = False
) -> Graph:
    """Return a model as a graph.

    Parameters
    ----------
    model
        A file (``.onnx``, ``.tflite``, ``.pt2``), a zoo name such as
        ``mobilenet_v1?width=0.25``, a PyTorch module or exported program, or a graph. Inputs that
        an ONNX file leaves open get their shapes behind it: ``net.onnx?image=1x3x96x96``. Also a
        fitted scikit-learn estimator or Pipeline, or a file of one (``.joblib``, ``.pkl``,
        ``.skops``).
    optimize
        Run the passes that keep the meaning.
    samples
        For an estimator: training rows, or a data set that has them; see
        `netsuke.estimators.convert.to_graph`.
    trust_pickle
        The word that a pickle may run the code that it contains.

    Raises
    ------
    ModelError, UnsupportedOperatorError, UsageError
    """
    if isinstance(model, Graph):
        graph = model
    elif is_estimator(model):
        from netsuke.estimators.source import estimator_graph

        graph, _ = estimator_graph(model, samples, trust_pickle)
    elif isinstance(model, str | Path) and _is_zoo_name(str(model)):
        from netsuke.models import build

        graph = build(str(model))
    else:
        from netsuke.frontend import load as read

        graph = read(*_with_shapes(model))
    if not optimize:
        return graph
    from netsuke.passes import optimize as run_passes

    return run_passes(graph)


def is_estimator(model: Any) -> bool:
    """Whether a model is a scikit-learn estimator, or names a file of one."""
    if isinstance(model, str | Path):
        return str(model).lower().endswith((".joblib", ".pkl", ".pickle", ".skops"))
    return not isinstance(model, type) and hasattr(model, "fit") and hasattr(model, "get_params")


def _with_shapes(model: Any) -> tuple[Any, dict[str, tuple[int, ...]]]:
    """A model and the shapes of its inputs that a text names behind a question mark."""
    if not isinstance(model, str) or "?" not in model or Path(model).exists():
        return model, {}
    options = parse_spec(model)
    return options.place, {name: options.extents(name, None) or () for name in options.values}


def _is_zoo_name(text: str) -> bool:
    from netsuke.models import model_names

    return text.split("?", maxsplit=1)[0] in model_names() and not Path(text).exists()


def device(name: str | Device) -> Device:
    """Return a device by id or ``.toml`` path; a device is returned as it is."""
    return name if isinstance(name, Device) else find_device(name)


def data(spec: Any) -> Dataset:
    """Return a data set by name or path; a data set is returned as it is."""
    from netsuke.data import Dataset, load_data

    return spec if isinstance(spec, Dataset) else load_data(str(spec))


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether a model fits a device, and what is in the way.

    Attributes
    ----------
    fits
        All operators are supported, and flash and RAM suffice.
    flash, flash_available
        Bytes; weights are exact, code is modelled.
    ram, ram_available
        Bytes of the activation arena: exact.
    peak_node
        Node during which the arena is fullest.
    peak_tensors
        Names and bytes of the buffers that live then, largest first.
    macs, parameters
        Of one inference; of the model.
    unsupported
        (operator, node, why) of every node that cannot be imported.
    optimal
        Whether the arena is proved minimal.
    as_int8
        For a float model: bytes of (flash, RAM) that it would take as int8, modelled.
    """

    model: str
    device: str
    fits: bool
    flash: int
    flash_available: int
    ram: int
    ram_available: int
    peak_node: str
    peak_tensors: tuple[tuple[str, int], ...]
    macs: int
    parameters: int
    unsupported: tuple[tuple[str, str, str], ...]
    optimal: bool
    as_int8: tuple[int, int] | None = None

    def as_json(self) -> dict[str, Any]:
        quarter = self.as_int8
        return {
            "schema": "netsuke/1",
            "model": self.model,
            "device": self.device,
            "fits": self.fits,
            "flash": {"needed": self.flash, "available": self.flash_available},
            "ram": {
                "needed": self.ram,
                "available": self.ram_available,
                "peak_node": self.peak_node,
                "peak_tensors": [{"name": n, "bytes": b} for n, b in self.peak_tensors],
                "optimal": self.optimal,
            },
            "as_int8": {"flash": quarter[0], "ram": quarter[1]} if quarter else None,
            "macs": self.macs,
            "parameters": self.parameters,
            "unsupported": [
                {"operator": operator, "node": node, "why": why}
                for operator, node, why in self.unsupported
            ],
            "sources": {
                "flash": "weights exact, code modelled",
                "ram": "exact",
                "as_int8": "modelled",
            },
        }


def check(
    model: Any,
    device_name: str | Device,
    samples: Any = None,
    trust_pickle: bool = False,
    ram: int | None = None,
) -> Verdict:
    """Answer whether a model fits a device, without compiling anything.

    Parameters
    ----------
    model
        As for `load`.
    device_name
        As for `device`.
    samples, trust_pickle
        As for `load`.
    ram
        Bytes that arenas may take; None: what the device has.
    """
    from netsuke.codegen.footprint import footprint
    from netsuke.schedule import plan as make_plan

    target = device(device_name)
    try:
        graph = load(model, samples=samples, trust_pickle=trust_pickle)
    except UnsupportedOperatorError as error:
        return Verdict(
            str(model),
            target.id,
            False,
            0,
            target.flash,
            0,
            target.ram,
            "",
            (),
            0,
            0,
            error.operators,
            False,
        )
    plan = make_plan(graph, target, ram)
    size = footprint(plan, target)
    try:
        plan.require_fit(target, ram)
        ram_fits = True
    except DoesNotFitError:
        ram_fits = False
    return Verdict(
        model=graph.name,
        device=target.id,
        fits=ram_fits and size.flash <= target.flash,
        flash=size.flash,
        flash_available=target.flash,
        ram=plan.arena,
        ram_available=target.ram if ram is None else min(ram, target.ram),
        peak_node=plan.peak_node,
        peak_tensors=plan.at_peak(),
        macs=graph.macs,
        parameters=graph.parameters,
        unsupported=(),
        optimal=plan.optimal,
        as_int8=(size.flash - 3 * size.weights // 4, plan.arena // 4) if is_float(graph) else None,
    )


def quantize(
    model: Any,
    dataset: Any,
    samples: int = 256,
    qat: int = 0,
    rounding: str = "nearest",
    **options: Any,
) -> Graph:
    """Return the int8 graph of a float model, calibrated on a data set.

    Parameters
    ----------
    model
        As for `load`.
    dataset
        As for `data`; an array ``(n, ...)`` in the graph's own form, or a list of one for each
        input; or an ``.npz`` whose keys are the names of the inputs.
    samples
        How many training samples calibrate.
    qat
        So many epochs of quantization-aware training follow, on a data set with labels.
    rounding
        Of the weights: ``"nearest"``, or ``"adaround"``, which learns without labels whether a
        weight goes up or down.
    options
        Passed to `netsuke.compress.quantize.quantize`; with `qat`, the fields of
        `netsuke.train.Recipe` and the parameters of `netsuke.compress.qat.tune`; with
        ``"adaround"`` also the parameters of `netsuke.compress.adaround.adaround`.

    Raises
    ------
    UsageError
        When the rounding is unknown, or asked for together with training, which learns the weights.
    """
    from netsuke.compress.quantize import quantize as convert

    if rounding not in ROUNDINGS:
        raise UsageError(f"rounding {rounding!r} is unknown; known are {', '.join(ROUNDINGS)}")
    if qat and rounding != "nearest":
        raise UsageError(f"training learns the weights; leave qat={qat} or {rounding} out")
    graph = load(model)
    if qat:
        return _quantize_by_training(graph, data(dataset), samples, qat, options)
    if rounding == "adaround":
        from netsuke.compress.adaround import adaround

        return adaround(graph, calibration(graph, dataset, samples), **options)
    return convert(graph, calibration(graph, dataset, samples), **options)


def _quantize_by_training(
    graph: Graph, dataset: Dataset, samples: int, epochs: int, options: dict[str, Any]
) -> Graph:
    from dataclasses import fields, replace

    from netsuke.compress.qat import tune
    from netsuke.compress.qat.finetune import RECIPE

    names = {field.name for field in fields(RECIPE)}
    recipe = {name: value for name, value in options.items() if name in names}
    rest = {name: value for name, value in options.items() if name not in names}
    learned = replace(RECIPE, epochs=epochs, **recipe)
    return tune(graph, dataset, learned, calibration=samples, **rest).graph


def prune(
    model: Any,
    keep: float = 0.5,
    importance: str = "",
    dataset: Any = None,
    multiple: int = 4,
    low_rank: float | None = None,
) -> Graph:
    """Return the float model with a share of every layer's channels.

    Parameters
    ----------
    model
        As for `load`; the passes that fold batch normalizations away do not run.
    keep
        Share of each layer's channels that stays.
    importance
        ``"taylor"``, ``"magnitude"`` or ``"bn-scale"``; by default Taylor with data, else
        magnitude.
    dataset
        As for `data`.
    multiple
        Widths are multiples of it where they can be.
    low_rank
        Share of the energy that dense and 1 x 1 layers keep as two thin layers each; with data
        the energy of their responses. None: they stay as they are.

    Raises
    ------
    UsageError
        When an argument is wrong or nothing can be cut; see `netsuke.compress.prune.prune`.
    """
    result, thin = pruned(model, keep, importance, dataset, multiple, low_rank)
    return result.graph if thin is None else thin.graph


def pruned(
    model: Any,
    keep: float = 0.5,
    importance: str = "",
    dataset: Any = None,
    multiple: int = 4,
    low_rank: float | None = None,
) -> tuple[Pruned, Factorised | None]:
    """What `prune` does, with everything that tells how the result came out of the original."""
    from netsuke.compress.low_rank import SAMPLES, factorise
    from netsuke.compress.prune import prune as cut_channels

    graph = load(model, optimize=False)
    samples = None if dataset is None else data(dataset)
    chosen = importance or ("magnitude" if samples is None else "taylor")
    result = cut_channels(graph, keep, chosen, samples, multiple)
    if low_rank is None:
        return result, None
    inputs = None if samples is None else calibration(result.graph, samples, SAMPLES)
    return result, factorise(result.graph, energy=low_rank, samples=inputs)


def calibration(graph: Graph, dataset: Any, samples: int = 256) -> list[Array]:
    """Training samples that calibrate a graph, in the graph's own form, an array an input."""
    from netsuke.compress.quantize.samples import calibration_samples

    return calibration_samples(graph, dataset, samples)


def is_float(graph: Graph) -> bool:
    """Whether no activation of the graph is quantized."""
    return all(t.quant is None for t in graph.tensors.values() if not t.is_constant)


def compile(
    model: Any,
    device_name: str | Device,
    dataset: Any = None,
    out: str | Path | None = None,
    target: str = "cmake",
    ram: int | None = None,
    provenance: Mapping[str, Any] | None = None,
    exact: bool = False,
    flash: int | None = None,
    measure: bool | Costs = False,
    trust_pickle: bool = False,
    stream: bool | int = False,
    final_softmax: bool = True,
    vote: str = "soft",
) -> Artifact:
    """Compile a model to C for a device; a float model is quantized when data is given.

    Parameters
    ----------
    model, device_name
        As for `check`.
    dataset
        Calibration data for a float model; without it a float model stays float. For an estimator
        training rows, see `load`.
    out
        Folder to write, which appears whole or not at all.
    target
        Wrapper, see `netsuke.codegen.WRAPPERS`.
    ram
        Bytes that arenas may take; what the smallest plan leaves of them goes into speed.
    provenance
        Recorded in the manifest.
    exact
        Let OR-Tools (an extra) go on where our own search of the plan gives up.
    flash
        Bytes that tables and code may take for the sake of speed; without it, kernels whose tables
        are much larger than need be (Winograd) are left out.
    measure
        Choose kernels by instructions counted on the emulator of the device's core, and kept in
        the cache, in place of modelled ones; or such costs.
    trust_pickle
        See `load`.
    stream
        Take the input, a vector, so many elements at a time (True: one by one), so that no memory
        of the model holds it.
    final_softmax
        False leaves the softmax before the output out: scores come out instead of probabilities.
    vote
        ``"hard"``: the trees of a forest have one vote each, in far fewer bytes than the shares of
        the classes take; see `netsuke.estimators.convert.to_graph`.

    Raises
    ------
    UsageError
        When there is no such softmax, or no forest to vote.
    DoesNotFitError
        When the arena or the flash does not fit the device.
    """
    from netsuke.codegen import compile_graph
    from netsuke.codegen.footprint import footprint

    board = device(device_name)
    if is_estimator(model):
        from netsuke.estimators.source import estimator_graph

        graph, told = estimator_graph(model, dataset, trust_pickle, vote)
        provenance = {**(provenance or {}), **told}
    elif vote != "soft":
        raise UsageError(f"vote={vote!r} is for estimators, and {model} is none")
    else:
        graph = load(model)
        if dataset is not None and is_float(graph):
            graph = quantize(graph, dataset)
    if not final_softmax:
        from netsuke.passes.drop_final_softmax import drop_final_softmax

        graph = drop_final_softmax(graph)
        provenance = {**(provenance or {}), "final_softmax": "left out"}
    artifact = compile_graph(
        *(graph, board, ram, target, provenance, exact),
        selftest=True,
        flash=flash,
        costs=_costs(measure, board),
        stream=stream,
    )
    artifact.plan.require_fit(board, ram)
    size = footprint(artifact.plan, board, artifact.weights)
    limit = board.flash if flash is None else min(flash, board.flash)
    if size.flash > limit:
        raise DoesNotFitError("flash", size.flash, limit, _heaviest(graph))
    if out is not None:
        artifact.write(out)
    return artifact


def _costs(measure: bool | Costs, board: Device) -> Costs | None:
    if measure is True:
        from netsuke.verify.measure import MeasuredCosts

        return MeasuredCosts(board)
    return measure or None


def _heaviest(graph: Graph) -> str:
    """The node whose constants are largest."""
    sizes = {
        node.name: sum(t.size for t in graph.in_of(node) if t.is_constant) for node in graph.nodes
    }
    return max(sizes, key=lambda name: sizes[name], default="")


def verify(artifact: Any, on: str | Sequence[str] = (), **options: Any) -> Verification:
    """Prove an artifact bit for bit; see `netsuke.verify.verify`.

    Parameters
    ----------
    artifact
        An `Artifact`, or the folder it was written to.
    on
        ``"host"``, ``"unicorn"``, ``"qemu"``, or several; without it the host and the emulator
        that knows the device's core.
    options
        Such as ``vectors`` (random samples) and ``seed``.
    """
    from netsuke.verify import default_backends
    from netsuke.verify import verify as prove

    places = (on,) if isinstance(on, str) else tuple(on)
    return prove(artifact, on=places or default_backends(artifact), **options)


def run(artifact: Any, *arrays: Array, on: str = "host") -> tuple[Array, ...]:
    """Run samples ``(n, ...)`` as the model file takes them; see `netsuke.verify.run`."""
    from netsuke.verify import run as execute

    return execute(artifact, on, arrays).outputs


def train(model: Any, dataset: Any, **recipe: Any) -> Graph:
    """Train a float model and return its graph; `recipe` as in `netsuke.train.Recipe`."""
    from netsuke.train import Recipe
    from netsuke.train import train as learn

    return learn(load(model, optimize=False), data(dataset), Recipe(**recipe)).graph


def profile(what: Any, runtime: str | None = None, **options: Any) -> Profile:
    """Run something several times in fresh processes: time per phase, memory, true peaks.

    Parameters
    ----------
    what
        A function without arguments that can be imported by its name; a command as a list of
        texts; or a model (file, zoo name or graph), which runs in a runtime.
    runtime
        For a model: ``"onnxruntime"`` (default), ``"litert"`` or ``"torch"``.
    options
        As in `netsuke.profile.Job`: ``repeat``, ``interval``, ``metrics`` and so on; for a model
        also ``runs``, ``batch``, ``threads``.

    Raises
    ------
    UsageError
        When it cannot be run at all; a run that fails says so in its ``status``.
    """
    from netsuke.profile import Job, observe

    if isinstance(what, Sequence) and not isinstance(what, str):
        return observe(Job(tuple(map(str, what)), **options))
    if callable(what) and not isinstance(what, Graph):
        from netsuke.profile.call import run_callable

        return run_callable(what, **options)
    from netsuke.profile.model import RUNTIMES, run_model

    name = what.name if isinstance(what, Graph) else str(what)
    reads = isinstance(what, str | Path) and Path(what).suffix.lower() == ".tflite"
    graph = None if reads and runtime == "litert" else load(what, optimize=False)
    return run_model(name, graph, runtime or RUNTIMES[0], **options)


def fit_table(
    x: Any,
    y: Any,
    device_name: str | Device,
    flash: int | None = None,
    ram: int | None = None,
    cycles: int | None = None,
    *,
    effort: str = "normal",
    task: str | None = None,
    names: Sequence[str] = (),
    test: float = 0.25,
    seed: int = 0,
    out: str | Path | None = None,
    resume: bool = False,
    jobs: int = 1,
    progress: bool = False,
) -> TableFit:
    """Find the best classical model for rows of features that a device can hold, and prove it.

    Linear models, trees, forests, boosting, perceptrons, Bonsai and ProtoNN of many sizes are
    judged by the integers that the device would compute; see
    `netsuke.estimators.search.search_table`.

    Parameters
    ----------
    x
        ``(n, features)``: numbers, or a pandas frame.
    y
        ``(n,)``: labels of any kind, or reals for a regression.
    device_name
        As for `device`, such as ``"arduino-uno"``.
    flash, ram
        Bytes; without them the device's own.
    cycles
        Clock cycles of a prediction (instructions, where the core's timing is not fixed).
    effort
        ``"quick"``, ``"normal"`` or ``"thorough"``.
    task
        ``"classification"`` or ``"regression"``; by default what the targets look like.
    names
        Of the features; a pandas frame knows them.
    test
        Share of the rows that is sealed and judges the winner.
    seed
        Same seed, same result.
    out
        Folder of the run; ``firmware`` in it is the artifact. A killed run goes on with `resume`.
    jobs
        Designs that are trained at a time.
    progress
        Show a bar on standard error.

    Raises
    ------
    NoDesignError
        When no design holds the limits.
    """
    from netsuke.estimators.search import TableLimits, make_table, search_table

    table = make_table(x, y, test, seed, task, names)
    limits = TableLimits(flash, ram, cycles)
    folder = None if out is None else Path(out)
    return search_table(
        *(table, device(device_name), limits, effort, seed, folder, resume, jobs, progress)
    )


def distill_to_tree(
    model: Any,
    dataset: Any,
    depth: int = 5,
    *,
    temperature: float = 1.0,
    share: float = 0.5,
    seed: int = 0,
    trust_pickle: bool = False,
    **options: Any,
) -> SoftDecisionTreeClassifier:
    """Teach a network to a soft decision tree, whose path explains each decision.

    The tree is a scikit-learn classifier of rows as the data set stores them; `compile` takes it,
    and `netsuke.estimators.explain` tells its reasons.

    Parameters
    ----------
    model
        As for `load`; it scores the classes of the data.
    dataset
        As for `data`.
    depth
        Splits on a path; the tree has 2^depth leaves.
    temperature
        Of the network's softmax.
    share
        Of the network in the targets, the labels have the rest: from 0 to 1.
    seed
        Same seed, same tree.
    trust_pickle
        As for `load`.
    options
        Such as ``max_iter``, ``n_init`` and ``penalty`` of
        `netsuke.estimators.SoftDecisionTreeClassifier`.

    Raises
    ------
    UsageError
        When the network does not score the classes of the data, or a number lies outside its range.
    """
    from netsuke.estimators.distill import distill_to_tree as distill
    from netsuke.estimators.distill import load_teacher

    taught = is_estimator(model)
    teacher = load_teacher(model, trust_pickle) if taught else load(model)
    return distill(
        *(teacher, data(dataset), depth),
        temperature=temperature,
        share=share,
        seed=seed,
        **options,
    )


def estimate(
    model: Any,
    device_name: str | Device = "rpi-3b",
    runtime: str = "onnxruntime",
    *,
    phase: str = "infer",
    batch: int | None = None,
    threads: int = 1,
    arena: bool = True,
    shape: Sequence[int] | None = None,
    available: int | None = None,
    dataset: Any = None,
) -> Estimate:
    """Estimate the memory that a model takes on a device that is not there.

    Parameters
    ----------
    model
        As for `load`; a PyTorch module with `shape`.
    device_name
        As for `device`: a board with 64-bit Arm Linux, or any board for ``c``.
    runtime
        ``onnxruntime``, ``litert``, ``torch`` (predicted: one run or trace on this machine, and
        what was measured on an emulated board), or ``c``, netsuke's own C (exact).
    phase
        ``infer``; with torch also ``evaluate`` and ``train`` (a step of SGD with momentum).
    batch
        Samples at once; None: what the file says, else 1.
    threads
        Of the runtime.
    arena
        False: ONNX Runtime with ``enable_cpu_mem_arena=False``.
    shape
        Of one sample of a PyTorch module, as it takes it.
    available
        Bytes that are left for the process; None: what the device has beside its reserve.
    dataset
        Quantizes a float model for ``c``, as `compile` does.

    Raises
    ------
    UsageError, MissingToolError, ModelError, VerificationError
    """
    from netsuke.profile.estimate import RUNTIMES, estimate_process
    from netsuke.profile.estimate.artifact import estimate_artifact
    from netsuke.profile.estimate.describe import with_resources

    board = device(device_name)
    if runtime not in RUNTIMES:
        raise UsageError(f"no runtime is called {runtime!r}; known are {', '.join(RUNTIMES)}")
    if runtime == "c":
        if phase != "infer" or batch not in (None, 1) or threads != 1:
            raise UsageError("netsuke's C infers one sample in one thread; try another runtime")
        artifact = compile(model, board, dataset)
        made = estimate_artifact(artifact, artifact.plan.graph.name, board)
        if available is not None:
            made = replace(made, available=available)
        return with_resources(made, artifact.plan.graph, board)
    made = estimate_process(
        *(model, lambda: load(model), runtime, board),
        phase=phase,
        batch=batch,
        threads=threads,
        arena=arena,
        shape=shape,
        available=available,
    )
    return with_resources(made, _graph_or_none(model), board, model)


def _graph_or_none(model: Any) -> Graph | None:
    """The model as a graph, or None when netsuke cannot import it (a runtime could run it)."""
    from netsuke.errors import NetsukeError

    if type(model).__module__.startswith("torch") or hasattr(model, "state_dict"):
        return None
    try:
        return load(model)
    except NetsukeError:
        return None


def report(folder: str | Path, out: str | Path) -> Path:
    """Write the HTML page about an artifact's folder or a fit run and return its path."""
    from netsuke.files import write_whole
    from netsuke.report import report_page

    write_whole(out, report_page(folder).encode())
    return Path(out)


def fit(
    model: Any,
    device_name: str | Device,
    dataset: Any,
    limits: Limits | None = None,
    **options: Any,
) -> FitResult:
    """Shrink a model until it holds the limits, with the smallest drop; see `netsuke.fit.fit`."""
    from netsuke.fit import fit as search

    given = {"model": model, "data": dataset, "device": device_name}
    texts = {name: str(value) for name, value in given.items() if isinstance(value, str | Path)}
    return search(
        load(model, optimize=False),
        data(dataset),
        device(device_name),
        limits or Limits(),
        **{"origins": texts, **options},
    )
