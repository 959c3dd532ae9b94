"""The figures of `bench/mcu` may not grow unnoticed; the keyword model stands for all."""

from __future__ import annotations

import importlib.util
import json
from dataclasses import asdict
from pathlib import Path
from types import ModuleType

import pytest

FOLDER = Path(__file__).parents[2] / "bench" / "mcu"


@pytest.fixture(scope="module")
def bench() -> ModuleType:
    spec = importlib.util.spec_from_file_location("bench_mcu", FOLDER / "run.py")
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    import sys

    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


def test_no_figure_of_the_keyword_model_grew_by_more_than_a_percent(
    bench: ModuleType, real_data: Path
) -> None:
    recorded = bench.read_baseline()["keywords"]["zig"]
    found = asdict(bench.measure("keywords", "zig"))
    if found["compiler"] != recorded["compiler"]:
        pytest.skip(
            f"left out: the baseline is of {recorded['compiler']}, here is "
            f"{found['compiler']}; record it with bench/mcu/run.py --record"
        )
    for field in ("instructions", "arena", "weights"):
        assert found[field] <= 1.01 * recorded[field], f"{field}: {found[field]:,}"
    for field in ("stack", "code"):
        assert found[field] <= 1.05 * recorded[field], f"{field}: {found[field]:,}"


def test_the_recorded_figures_beat_the_recorded_peer(bench: ModuleType) -> None:
    peers = json.loads((FOLDER / "peers.json").read_text())
    for model, compilers in bench.read_baseline().items():
        peer = peers[bench.PEER][model]
        for figures in compilers.values():
            assert figures["instructions"] < peer["instructions"] / 2
            assert figures["arena"] + figures["stack"] < peer["ram"]
            assert figures["code"] + figures["weights"] < peer["code"] + peer["model"]
