"""A limit of memory: settings that hold it mean the same, and the kernel holds it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="left out: holding a limit of memory needs PyTorch")

from netsuke.cli import main  # noqa: E402
from netsuke.cli.commands.profile import parse_limit  # noqa: E402
from netsuke.data import load_data  # noqa: E402
from netsuke.errors import GraphError, MemoryLimitError, UsageError  # noqa: E402
from netsuke.ir import Graph, interpret_batch  # noqa: E402
from netsuke.models import build  # noqa: E402
from netsuke.profile.limit import Setting, Task, hold_limit, run_setting  # noqa: E402
from netsuke.profile.limit.probe import Probe, read_probe  # noqa: E402
from netsuke.profile.limit.recompute import recomputing  # noqa: E402
from netsuke.profile.limit.rows import Rows  # noqa: E402
from netsuke.profile.limit.task import write_folder  # noqa: E402
from netsuke.profile.limit.valid import without_padding  # noqa: E402
from netsuke.profile.limit.worker import Worker  # noqa: E402
from netsuke.profile.result import Phase, Run  # noqa: E402
from netsuke.train import to_module  # noqa: E402

MODEL = "mnist_cnn?size=16&width=0.1"
DATA = "digits?size=16&limit=400"
MB = 1_000_000


@pytest.fixture(scope="module")
def graph() -> Graph:
    return build(MODEL)


def probe(**fields: object) -> Probe:
    values = {
        "setting": Setting(lean=True),
        "base": 200 * MB,
        "train": {5: 240 * MB, 20: 260 * MB, 50: 300 * MB},
        "evaluate": {16: 230 * MB, 64: 240 * MB, 256: 280 * MB},
        "rest": 225 * MB,
        "pace": {5: 0.1, 20: 0.1, 50: 0.1},
    }
    return Probe(**{**values, **fields})  # type: ignore[arg-type]


def test_the_largest_sizes_below_a_limit_are_chosen() -> None:
    found = probe().choose(310 * MB, 10_000, micro=True)
    assert found is not None and found.micro == 50
    # 280 MB at 256 and 40 MB more each 192: 256 + 192 · (0.985 · 310 - 280) / 40
    assert 360 <= found.chunk <= 376
    assert probe().choose(300 * MB, 10_000, micro=True).micro == 20  # type: ignore[union-attr]
    assert probe().choose(300 * MB, 10_000, micro=False) is None
    assert probe().choose(240 * MB, 10_000, micro=True) is None
    whole = probe().choose(3000 * MB, 10_000, micro=True)
    assert whole == Setting(lean=True, micro=50, chunk=0), "what fits as a whole is not divided"


@pytest.mark.parametrize("limit", range(246, 400, 7))
def test_what_is_chosen_is_below_the_limit_on_the_line(limit: int) -> None:
    p = probe()
    found = p.choose(limit * MB, 5000, micro=True)
    assert found is not None
    assert p.train[found.micro] < limit * MB
    assert p.peak_of_evaluation(found.chunk or 5000) < limit * MB


def test_what_the_limit_refused_is_not_read_as_a_peak() -> None:
    phases = tuple(Phase(n, 1, 0, 1, 1, 9) for n in ("train 5", "train 50", "evaluate 16"))
    run = Run("done", 0, 1, 1, 9, 9, "exact", 9, 1, (), phases, {"refused train 50": 1, "base": 3})
    found = read_probe(Setting(), run)
    assert found.train == {5: 9} and found.base == 3 and found.floor == 9
    assert read_probe(Setting(), Run("failed", 1, 1, 1, 9, 9, "exact", 9, 1)).floor == 0


def test_without_padding_the_middle_of_the_image_means_the_same(graph: Graph) -> None:
    smaller = without_padding(graph)
    shapes = [smaller.tensors[node.name].shape for node in smaller.nodes]
    assert shapes[0] == (12, 12, 3) and graph.tensors[graph.nodes[0].name].shape == (16, 16, 3)
    dense = next(node for node in graph.nodes if type(node.op).__name__ == "Dense")
    old, new = (g.tensors[dense.inputs[1]].data for g in (graph, smaller))
    assert old is not None and new is not None
    middle = old.reshape(len(old), 4, 4, -1)[:, 1:2, 1:2].reshape(len(old), -1)
    np.testing.assert_allclose(new, 4 * middle, rtol=1e-6)
    x = np.random.default_rng(0).random((2, 16, 16, 1), dtype=np.float32)
    (scores,) = interpret_batch(smaller, x)
    assert scores.shape == (2, 10) and np.isfinite(scores).all()
    assert smaller.parameters < graph.parameters


def test_the_network_of_the_experiment_has_the_shapes_of_valid() -> None:
    smaller = without_padding(build("mnist_cnn"))
    found = [smaller.tensors[node.outputs[0]].shape for node in smaller.nodes]
    assert found[0] == (24, 24, 32) and (8, 8, 64) in found and (1024,) in found


@pytest.mark.parametrize("model", ["resnet8?size=32", "mnist_cnn?size=12", "lenet?size=2"])
def test_networks_that_cannot_do_without_padding_are_refused(model: str) -> None:
    with pytest.raises(GraphError):
        without_padding(build(model))


@pytest.mark.parametrize("model", [MODEL, "lenet?size=8&width=0.25", "resnet8?size=8"])
def test_recomputed_activations_give_the_same_gradients(model: str) -> None:
    graph = build(model)
    x = torch.rand(4, *graph.tensors[graph.inputs[0]].shape)
    plain, spare = to_module(graph).train(), to_module(graph).train()
    plain(x).square().sum().backward()
    recomputing(spare)(x).square().sum().backward()
    for name, value in plain.named_parameters():
        torch.testing.assert_close(spare.get_parameter(name).grad, value.grad)
    for name, value in plain.named_buffers():
        torch.testing.assert_close(spare.get_buffer(name), value)  # measured once, not twice


def test_rows_from_the_file_are_the_rows_in_memory(tmp_path: Path) -> None:
    values = np.random.default_rng(0).integers(0, 255, (20, 3, 4), np.uint8)
    np.save(tmp_path / "x.npy", values)
    chosen = np.array([3, 0, 19, 3])
    for held in (True, False):
        np.testing.assert_array_equal(Rows(tmp_path / "x.npy", held).take(chosen), values[chosen])


def worker(folder: Path, graph: Graph, setting: Setting) -> Worker:
    folder.mkdir(exist_ok=True)
    write_folder(folder, graph, load_data(DATA))
    task = {"steps": 4, "batch": 10, "threads": 1}
    found = Worker(folder, {"task": task, "setting": setting.record()})
    found.load()
    return found


def test_micro_batches_chunks_and_lean_give_the_same_weights(tmp_path: Path, graph: Graph) -> None:
    plain = worker(tmp_path, graph, Setting())
    spare = worker(tmp_path, graph, Setting(lean=True, micro=3, chunk=7, recompute=True))
    for one, micro in ((plain, 0), (spare, 3)):
        one.fit(4, micro)
        one.tidy()
    for name, value in plain.module.named_parameters():
        torch.testing.assert_close(spare.module.get_parameter(name), value, rtol=1e-3, atol=1e-5)
    assert plain.judge(50, 0) == spare.judge(50, 7)


def base_of_a_process() -> int:
    code = (
        "from netsuke.profile.events import resident; import netsuke.profile.limit.worker; "
        "print(resident()[0])"
    )
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, env=environment
    )
    return int(done.stdout)


def test_a_limit_is_found_and_held(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    limit = base_of_a_process() + 150 * MB
    command = ["profile", "mnist_cnn", "--data", "digits?size=28", "--steps", "2"]
    command += ["--limit", str(limit), "-o", str(tmp_path), "--json"]
    assert main(command) == 0
    result = json.loads(capsys.readouterr().out)
    (variant,) = result["variants"]
    assert variant["done"] and variant["peak"] <= limit == result["limit"]
    assert result["found"]["naive_peak"] > limit, "it does not hold the limit as it is"
    assert result["found"]["setting"] != Setting().record()
    assert "Settings that were tried" in (tmp_path / "report.html").read_text()


def test_one_setting_is_measured(graph: Graph) -> None:
    setting = Setting(chunk=20, lean=True, valid=True)
    profile = run_setting(graph, load_data(DATA), setting, Task(steps=2))
    assert profile.done and "VALID" in profile.name and "lean" in profile.name
    assert 0 < profile.runs[0].metrics["base"] < profile.peak
    with pytest.raises(UsageError, match="VALID is not tried"):
        run_setting(build("mnist_cnn?size=12"), load_data("digits?size=12"), setting)


def test_a_limit_below_the_base_is_refused_with_the_number(graph: Graph) -> None:
    with pytest.raises(MemoryLimitError) as refused:
        hold_limit(graph, load_data(DATA), 50 * MB, Task(steps=1))
    assert refused.value.needed > 100 * MB and f"{refused.value.needed:,}" in str(refused.value)
    assert refused.value.exit_code == 3


@pytest.mark.parametrize(
    ("text", "size"),
    [("600MB", 600_000_000), ("1.5 GiB", 3 << 29), ("1000", 1000), ("2k", 2000), ("least", None)],
)
def test_a_limit_is_read(text: str, size: int | None) -> None:
    assert parse_limit(text) == size


@pytest.mark.parametrize("text", ["", "MB", "-1MB", "0", "much", "1e9", "9" * 30, "nan"])
def test_a_wrong_limit_is_refused(text: str) -> None:
    with pytest.raises(UsageError):
        parse_limit(text)


@pytest.mark.parametrize(
    "arguments",
    [
        ["lenet", "--limit", "600MB"],
        ["lenet", "--data", "digits"],
        ["lenet", "--limit", "600MB", "--data", "digits"],
        ["lenet?size=8&classes=3", "--limit", "600MB", "--data", "digits"],
        ["lenet?size=8", "--limit", "600MB", "--data", "digits", "--steps", "0"],
    ],
)
def test_a_wrong_call_with_a_limit_is_one_error(
    arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["profile", *arguments]) == 2
    assert capsys.readouterr().err.count("\n") == 1
