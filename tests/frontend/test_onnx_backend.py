"""ONNX's own backend suite: every node test that concerns our operators passes."""

from __future__ import annotations

import pytest
from onnx_cases import Case, is_applicable, load_cases, run_in_c, run_in_numpy


@pytest.fixture(scope="module")
def applicable() -> list[Case]:
    return [case for case in load_cases() if is_applicable(case)]


def report(way: str, cases: list[Case], wrong: dict[str, str]) -> None:
    """Print the count, and fail naming what is wrong."""
    print(f"\nONNX backend suite through {way}: {len(cases) - len(wrong)} / {len(cases)} pass")
    assert not wrong, "\n".join(f"{name}: {why}" for name, why in wrong.items())


def test_hundreds_of_tests_are_applicable(applicable: list[Case]) -> None:
    names = {case.name for case in applicable}
    assert len(names) >= 550
    assert {
        "test_conv_with_strides_padding",
        "test_lstm_with_peepholes",
        "test_softmax_axis_0",
    } <= names


def test_every_applicable_test_passes_in_numpy(applicable: list[Case]) -> None:
    results = {case.name: run_in_numpy(case) for case in applicable}
    report("NumPy", applicable, {name: why for name, why in results.items() if why})


def test_every_applicable_test_passes_in_compiled_c(applicable: list[Case]) -> None:
    report("compiled C", applicable, run_in_c(applicable))
