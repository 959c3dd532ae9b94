"""The figures of `bench/mcu` may not grow unnoticed; small models stand for all."""

from __future__ import annotations

import importlib.util
import json
import sys
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from types import ModuleType

import pytest

FOLDER = Path(__file__).parents[2] / "bench" / "mcu"
BESIDE = ("generated", "subjects")


@pytest.fixture(scope="module")
def bench() -> Iterator[ModuleType]:
    spec = importlib.util.spec_from_file_location("bench_mcu", FOLDER / "run.py")
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    yield module
    sys.path.remove(str(FOLDER))
    for name in (spec.name, *BESIDE):
        sys.modules.pop(name, None)


@pytest.mark.parametrize("model", ["keywords", "anomalies", "images", "wake_words"])
def test_no_figure_grew_by_more_than_a_percent(
    bench: ModuleType, real_data: Path, model: str
) -> None:
    recorded = bench.read_baseline()["cortex-m4"][model]["zig"]
    found = asdict(bench.measure(model, "zig"))
    if found["compiler"] != recorded["compiler"]:
        pytest.skip(
            f"left out: the baseline is of {recorded['compiler']}, here is "
            f"{found['compiler']}; record it with bench/mcu/run.py --record"
        )
    for field in ("instructions", "arena", "weights"):
        assert found[field] <= 1.01 * recorded[field], f"{field}: {found[field]:,}"
    for field in ("stack", "code"):
        assert found[field] <= 1.05 * recorded[field], f"{field}: {found[field]:,}"


def test_the_recorded_figures_beat_the_recorded_peers(bench: ModuleType) -> None:
    peers = json.loads((FOLDER / "peers.json").read_text())["instructions"]
    baseline = bench.read_baseline()
    for core, engines in peers.items():
        for model, compilers in baseline[core].items():
            peer = engines[bench.PEER][bench.subjects.network(model)]
            for figures in compilers.values():
                assert figures["instructions"] < peer["instructions"] / 1.6
                if "ram" in peer:
                    assert figures["arena"] + figures["stack"] < peer["ram"]
                if "code" in peer and not model.endswith("_fast"):
                    assert figures["code"] + figures["weights"] < peer["code"] + peer["model"]


def test_the_autoencoder_is_the_one_of_the_benchmark(bench: ModuleType) -> None:
    graph = bench.subjects.autoencoder()
    assert graph.macs == 264_192
    assert [node.op.kind for node in graph.nodes] == ["dense"] * 10
    assert graph.tensors[graph.outputs[0]].shape == (640,)


def test_a_diff_shows_what_changed_in_generated_c(bench: ModuleType, tmp_path: Path) -> None:
    for side, number in (("a", 1), ("b", 2)):
        (tmp_path / side / "kws").mkdir(parents=True)
        (tmp_path / side / "kws" / "model.c").write_text(f"int same;\nint x = {number};\n")
        (tmp_path / side / "kws" / "manifest.json").write_text(str(number))
    (tmp_path / "b" / "new.h").write_text("#define NEW\n")
    lines = bench.generated.diff(tmp_path / "a", tmp_path / "b")
    assert "-int x = 1;" in lines
    assert "+int x = 2;" in lines
    assert "+#define NEW" in lines
    assert not any("manifest" in line for line in lines)
    assert bench.generated.diff(tmp_path / "a", tmp_path / "a") == []
