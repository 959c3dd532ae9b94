"""Graph files: equal after a round trip, equal bytes, and safe against anybody's bytes."""

from __future__ import annotations

import contextlib
import dataclasses
import types
import typing
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from netsuke.errors import ModelError
from netsuke.ir import Graph, GraphBuilder, Op, Port, Quant, to_text
from netsuke.ir.serialize import load_graph, save_graph
from netsuke.ops import OPERATORS, Conv2d, Dense


def small_graph() -> Graph:
    rng = np.random.default_rng(0)
    build = GraphBuilder("small")
    x = build.input("x", (4, 4, 2), "int8", Quant((0.5,), (3,)))
    w = build.constant(
        "w", rng.integers(-9, 9, (3, 2, 2, 2)).astype(np.int8), Quant((0.1, 0.2, 0.3), (0,) * 3, 0)
    )
    b = build.constant("b", np.arange(3, dtype=np.int32), Quant((0.05, 0.1, 0.15), (0,) * 3, 0))
    y = build.one(Conv2d(low=0.0), x, w, b, name="y", quant=Quant((0.25,), (-128,)))
    build.ports["x"] = Port((1, 2, 0), "uint8")
    return build.build([y])


def float_graph() -> Graph:
    build = GraphBuilder()
    x = build.input("x", (3,))
    w = build.constant("w", np.eye(3, dtype=np.float32)[:2])
    b = build.constant("b", np.array([1.0, -2.0], np.float32))
    return build.build([build.one(Dense(), x, w, b)])


@pytest.mark.parametrize("graph", [small_graph(), float_graph()])
def test_a_graph_is_equal_after_a_round_trip(graph: Graph) -> None:
    data = save_graph(graph)
    again = load_graph(data, OPERATORS)
    assert to_text(again) == to_text(graph)
    assert again.fingerprint() == graph.fingerprint()
    assert again.nodes[0].op == graph.nodes[0].op
    assert save_graph(again) == data


def test_every_truncation_is_one_clear_error() -> None:
    data = save_graph(small_graph())
    for length in range(len(data)):
        with pytest.raises(ModelError):
            load_graph(data[:length], OPERATORS)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b'"Conv2d"', b'"system"'),
        (b'"stride":[1,1]', b'"stride":[1,9'),
        (b'"stride":[1,1]', b'"stride":{"":1'),
        (b'"groups":1', b'"groups":7'),
        (b'"groups":1', b'"groups":0'),
        (b'"groups":1', b'"grovps":1'),
        (b'"groups":1', b'"groups":""'),
        (b'"shape":[4,4,2]', b'"shape":[4,4,9]'),
        (b'"shape":[4,4,2]', b'"shape":4444444'),
        (b'"axes":[1,2,0]', b'"axes":[1,2,1]'),
        (b'"offset":0', b'"offset":9'),
        (b'"dtype":"int32"', b'"dtype":"int99"'),
    ],
)
def test_a_wrong_entry_is_named(old: bytes, new: bytes) -> None:
    data = save_graph(small_graph())
    assert old in data
    changed = data.replace(old, new)
    length = int.from_bytes(data[16:24], "little") + len(changed) - len(data)
    changed = changed[:16] + length.to_bytes(8, "little") + changed[24:]
    if b"offset" in old:
        changed = changed[:-20]
    with pytest.raises(ModelError):
        load_graph(changed, OPERATORS)


def supported(hint: Any) -> bool:
    if hint in (int, float, str, bool, type(None), Ellipsis):
        return True
    return typing.get_origin(hint) is typing.Literal or (
        typing.get_origin(hint) in (tuple, typing.Union, types.UnionType)
        and all(map(supported, typing.get_args(hint)))
    )


@pytest.mark.parametrize("operator", OPERATORS, ids=lambda o: o.__name__)
def test_every_operators_fields_can_be_kept(operator: type[Op]) -> None:
    hints = typing.get_type_hints(operator)
    for field in dataclasses.fields(operator):  # type: ignore[arg-type]
        assert supported(hints[field.name]), f"{field.name}: {hints[field.name]}"


@settings(max_examples=300, deadline=None)
@given(st.integers(0, 1 << 30), st.integers(0, 255))
def test_mutated_bytes_never_crash(place: int, byte: int) -> None:
    data = bytearray(save_graph(small_graph()))
    data[place % len(data)] = byte
    with contextlib.suppress(ModelError):
        load_graph(bytes(data), OPERATORS)
