"""netsuke's C on this machine beside LiteRT and ONNX Runtime: one thread, one process run.

    python bench/hosts/run.py [--device host] [--repeat 15] [--layers] [NETWORK ...]

NETWORK is ``resnet8`` (the trained network of MLPerf Tiny, if NETSUKE_DATA has it), or a network of
the zoo with random weights, quantized: ``mobilenet_v1?size=224&classes=1000``, ``densenet121``.
All runtimes get the same integers: LiteRT a TFLite file, ONNX Runtime a file with QDQ. The
repetitions alternate between the runtimes; medians of processor time and the ratio to netsuke are
printed, for a batch of 1 and for 32 samples (netsuke runs them one after the other, LiteRT and ONNX
Runtime as a batch). First the outputs are compared: with LiteRT without delegates bit for bit.
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
from layers import print_layers
from tflite_writer import to_tflite

from netsuke.codegen import compile_graph
from netsuke.codegen.onnx import to_onnx
from netsuke.compress.quantize import quantize
from netsuke.devices import device
from netsuke.frontend import load
from netsuke.ir import Graph, interpret_batch
from netsuke.models import build
from netsuke.passes import optimize
from netsuke.verify.host import HostLibrary

ROOT = Path(__file__).parents[2]
NETWORKS = ("resnet8", "mobilenet_v1?size=224&classes=1000", "densenet121")
Runner = Callable[[np.ndarray], np.ndarray]


def network(name: str) -> Graph:
    """An int8 graph."""
    folder = Path(os.environ.get("NETSUKE_DATA") or ROOT.parent / "shared" / "data")
    trained = folder / "mlperf_tiny" / "pretrainedResnet_quant.tflite"
    if name == "resnet8" and trained.exists():
        return optimize(load(trained))
    graph = build(name)
    shape = graph.tensors[graph.inputs[0]].shape
    samples = np.random.default_rng(0).uniform(-1, 1, (2, *shape)).astype(np.float32)
    return quantize(graph, samples, ranges="minmax", equalize=False, bias_correction=False)


def litert(graph: Graph, batch: int, delegate: bool = True) -> Runner:
    """LiteRT with its default delegate (XNNPACK), or with its plain kernels."""
    from ai_edge_litert.interpreter import Interpreter, OpResolverType

    kind = OpResolverType.AUTO if delegate else OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES
    model = to_tflite(graph, batch)
    made = Interpreter(model_content=model, num_threads=1, experimental_op_resolver_type=kind)
    made.allocate_tensors()
    source = made.get_input_details()[0]
    target = made.get_output_details()[0]["index"]

    def run(x: np.ndarray) -> np.ndarray:
        made.set_tensor(source["index"], x)
        made.invoke()
        return np.asarray(made.get_tensor(target))

    return run


def onnx_runtime(graph: Graph, x: np.ndarray) -> Runner:
    """ONNX Runtime on the CPU with all its optimizations; its samples are prepared beforehand."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_ALL
    providers = ["CPUExecutionProvider"]
    session = onnxruntime.InferenceSession(to_onnx(graph), options, providers=providers)
    (port,) = session.get_inputs()
    (given,) = from_stored_inputs(graph, x, "float" in port.type)
    return lambda _: np.asarray(session.run(None, {port.name: given})[0])


def timed(run: Runner, x: np.ndarray) -> float:
    """Seconds of processor time: all runtimes have one thread, and others may be at work here."""
    start = time.process_time()
    run(x)
    return time.process_time() - start


def compare(runners: dict[str, Runner], x: np.ndarray, repeat: int) -> None:
    """Print the median of each runner; they alternate, the first one warms up."""
    times: dict[str, list[float]] = {name: [] for name in runners}
    for turn in range(repeat + 1):
        for name, run in runners.items():
            seconds = timed(run, x)
            if turn:
                times[name].append(seconds)
    medians = {name: statistics.median(found) for name, found in times.items()}
    ours = medians["netsuke"]
    for name, median in medians.items():
        least = min(times[name])
        print(
            f"  batch {len(x):2d}  {name:14s} median {median * 1e6:10.1f} us  "
            f"least {least * 1e6:10.1f} us  {median / ours:5.2f} x netsuke"
        )


def from_stored_inputs(graph: Graph, x: np.ndarray, real: bool) -> tuple[np.ndarray, ...]:
    """Samples as the ONNX file takes them: reals where it quantizes them itself."""
    tensor = graph.tensors[graph.inputs[0]]
    if real and tensor.quant is not None:
        x = ((x - np.float32(tensor.quant.zero_point[0])) * tensor.quant.scale[0]).astype(
            np.float32
        )
    port = graph.ports.get(graph.inputs[0])
    axes = port.axes if port is not None else None
    if axes:
        x = x.transpose(0, *(1 + np.argsort(axes)))
    return (np.ascontiguousarray(x),)


def agreement(graph: Graph, library: HostLibrary, x: np.ndarray) -> None:
    """Compare netsuke with NumPy and with LiteRT's plain kernels."""
    (meaning,) = interpret_batch(graph, x[:2])
    (ours,) = library.run(x[:2])
    print(f"  equal to NumPy: {np.array_equal(meaning, ours)}")
    run = litert(graph, 1, delegate=False)
    theirs = np.concatenate([run(x[i : i + 1]) for i in range(len(x))])
    (ours,) = library.run(x)
    print(f"  {np.count_nonzero(theirs != ours)} of {ours.size} outputs differ from LiteRT's")


def measure(name: str, board: str, repeat: int, compiler: str | None, layers: bool) -> None:
    graph = network(name)
    start = time.perf_counter()
    artifact = compile_graph(graph, device(board))
    library = HostLibrary(artifact, compiler=compiler)
    seconds = time.perf_counter() - start
    print(f"{name}: {graph.macs:,} MACs, arena {artifact.plan.arena:,} B, {seconds:.1f} s to build")
    print(f"  {library.compiler.version}; {artifact.device.id}")
    shape = graph.tensors[graph.inputs[0]].shape
    x = np.random.default_rng(1).integers(-128, 128, (32, *shape)).astype(np.int8)
    agreement(graph, library, x[:4])
    for batch in (1, 32):
        runners: dict[str, Runner] = {
            "netsuke": lambda x: library.run(x)[0],
            "litert": litert(graph, batch),
            "onnxruntime": onnx_runtime(graph, x[:batch]),
        }
        compare(runners, x[:batch], repeat if batch == 1 else max(3, repeat // 4))
    if layers:
        print_layers(artifact, compiler)


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("networks", nargs="*", default=list(NETWORKS))
    parser.add_argument("--device", default="host")
    parser.add_argument("--repeat", type=int, default=15)
    parser.add_argument("--compiler", default=None)
    parser.add_argument("--layers", action="store_true", help="where netsuke's time goes")
    options = parser.parse_args(arguments)
    for name in options.networks:
        measure(name, options.device, options.repeat, options.compiler, options.layers)
    return 0


if __name__ == "__main__":
    sys.exit(main())
