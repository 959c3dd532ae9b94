"""What edits have in common: every set of them gives a valid network, in any order, or an error."""

from __future__ import annotations

import json

import numpy as np
import pytest
from edited_graphs import ZOO, check, network, run, sample
from hypothesis import given, settings
from hypothesis import strategies as st

from netsuke.codegen import compile_graph
from netsuke.compress.edits import KINDS, Edit, apply_edits, edits, exclusive, frame
from netsuke.compress.quantize import quantize
from netsuke.devices import device
from netsuke.errors import NetsukeError, UsageError
from netsuke.ir import Graph, GraphBuilder, interpret
from netsuke.ops import Clamp
from netsuke.passes import optimize
from netsuke.passes.channel_groups import channel_groups, cut
from netsuke.verify.host import HostLibrary

OFFERED = {
    "resnet8": 13,
    "mobilenet_v1": 13,
    "ds_cnn": 8,
    "lenet": 5,
    "densenet121": 9,
}
"""How many edits each network offers."""


def test_every_kind_is_offered_by_some_network_and_always_the_same() -> None:
    found = {name: edits(network(name)) for name in ZOO}
    assert {name: len(each) for name, each in found.items()} == OFFERED
    assert {edit.kind for each in found.values() for edit in each} == {k.name for k in KINDS}
    assert all(edits(network(name)) == each for name, each in found.items())


@pytest.mark.parametrize("name", ZOO)
def test_each_edit_gives_a_valid_network_that_can_be_edited_and_cut_further(name: str) -> None:
    graph = network(name)
    for edit in edits(graph):
        small = apply_edits(graph, [edit])
        check(small, graph)
        assert small.parameters < graph.parameters or small.macs < graph.macs, edit
    groups = channel_groups(small)
    narrow = cut(small, groups, [range(max(1, group.units // 2)) for group in groups])
    check(narrow, graph)
    assert edits(small)  # and there is something left to edit


@pytest.mark.parametrize(
    ("name", "blocks"),
    [
        ("mobilenet_v2?width=0.1&size=32&last=64&classes=7", 11),
        ("mobilenet_v3_small?width=0.1&size=32&classes=7", 17),
        ("shufflenet_v1?width=0.1&size=32&groups=3&classes=7", 13),
        ("shufflenet_v2?width=0.1&size=32&classes=7", 27),
        ("squeezenet?width=0.1&size=32&classes=7", 4),
        ("resnet20?width=0.25&size=16", 25),
    ],
)
def test_blocks_of_other_families_can_all_go_but_for_alternatives(name: str, blocks: int) -> None:
    graph = network(name)
    offered = edits(graph)
    assert sum(edit.kind == "drop_block" for edit in offered) == blocks
    one_a_place = {(edit.kind, edit.place): edit for edit in offered if edit.kind == "drop_block"}
    small = apply_edits(graph, one_a_place.values())
    check(small, graph)
    assert len(small.nodes) < len(graph.nodes)


def chosen_from(graph: Graph, picks: list[int]) -> list[Edit]:
    offered = edits(graph)
    chosen: list[Edit] = []
    for pick in picks:
        edit = offered[pick % len(offered)]
        if not any(exclusive(edit, other) or edit == other for other in chosen):
            chosen.append(edit)
    return chosen


@settings(max_examples=25, deadline=None)
@given(
    st.sampled_from(["resnet8", "mobilenet_v1", "ds_cnn", "lenet"]),
    st.lists(st.integers(0, 30), min_size=1, max_size=6),
    st.randoms(use_true_random=False),
)
def test_any_set_of_edits_in_any_order_is_one_valid_network_or_a_clear_error(name, picks, random):
    graph = network(name)
    chosen = chosen_from(graph, picks)
    try:
        small = apply_edits(graph, chosen)
    except NetsukeError as error:
        assert any(edit.place in str(error) for edit in chosen) or "at the other size" in str(error)
        return
    check(small, graph)
    random.shuffle(chosen)
    assert apply_edits(graph, chosen).fingerprint() == small.fingerprint()


@pytest.mark.parametrize("name", ["resnet8", "mobilenet_v1", "lenet"])
def test_edited_networks_are_the_same_in_torch_and_as_integers_in_c(name: str) -> None:
    torch = pytest.importorskip("torch")
    from netsuke.train import to_module

    graph = network(name)
    small = apply_edits(graph, chosen_from(graph, [0, 2, 5, 7, 12]))
    x = np.stack([sample(small, seed) for seed in range(4)])
    with torch.no_grad():
        scores = to_module(small).eval()(torch.from_numpy(x))
    expected = np.stack([run(small, each) for each in x])
    np.testing.assert_allclose(scores.numpy(), expected, rtol=1e-3, atol=1e-3)
    folded = optimize(small)
    integers = quantize(folded, x)
    tensor = integers.tensors[integers.inputs[0]]
    assert tensor.quant is not None
    stored = tensor.quant.quantize(x.reshape(4, *tensor.shape))
    library = HostLibrary(compile_graph(integers, device("nucleo-f446re")))
    for each, answer in zip(stored, library.run(stored)[0], strict=True):
        (meaning,) = interpret(integers, {tensor.name: each}).values()
        np.testing.assert_array_equal(answer, meaning)


def test_edits_that_exclude_each_other_or_do_not_apply_are_refused() -> None:
    graph = network("resnet8")
    sizes = [edit for edit in edits(graph) if edit.kind == "input_size"]
    assert exclusive(*sizes[:2]) and not exclusive(sizes[0], sizes[0])
    with pytest.raises(UsageError, match="exclude each other"):
        apply_edits(graph, sizes[:2])
    for wrong, words in [
        (Edit("widen", "conv1", 2), "no kind of edit"),
        (Edit("drop_block", "conv1", "conv1"), "conv1"),
        (Edit("drop_block", "norm5", "norm5"), "norm5"),  # an alternative of the block add9
        (Edit("shrink_kernel", "nowhere", 3), "nowhere"),
        (Edit("shrink_kernel", "conv1", 3), "3 x 3"),
        (Edit("shrink_kernel", "conv1", "small"), "3 x 3"),
        (Edit("stem_stride", "conv4", 2), "conv4"),
        (Edit("stem_stride", "conv1", 3), "conv1"),
        (Edit("input_size", "input", "0x0"), "48x48"),
        (Edit("input_size", "input", "99999x1"), "twice"),
        (Edit("input_size", "image", "16x16"), "image"),
        (Edit("input_colour", "input", "sepia"), "sepia"),
    ]:
        with pytest.raises(NetsukeError, match=words):
            apply_edits(graph, [wrong])


def test_quantized_graphs_offer_nothing_and_say_why() -> None:
    graph = network("lenet")
    integers = quantize(optimize(graph), np.stack([sample(graph)]))
    assert edits(integers) == ()
    with pytest.raises(UsageError, match="float"):
        apply_edits(integers, [Edit("input_size", "input", "14x14")])
    assert apply_edits(integers, []) is integers


def test_a_network_without_anything_to_edit_offers_nothing() -> None:
    builder = GraphBuilder()
    x = builder.input("x", (4,))
    assert edits(builder.build([builder.one(Clamp(0.0), x)])) == ()


def test_edits_survive_json_and_hostile_records_do_not() -> None:
    for edit in edits(network("resnet8")):
        assert Edit.of(json.loads(json.dumps(edit.record()))) == edit
    for record in ({}, {"kind": 1, "place": "a", "value": 2}, {"kind": "a", "place": "b"}):
        with pytest.raises(UsageError, match="no edit"):
            Edit.of(record)
    with pytest.raises(UsageError, match="neither"):
        Edit.of({"kind": "a", "place": "b", "value": True})


def test_a_manifest_tells_what_to_do_to_the_camera_frame() -> None:
    chosen = [Edit("input_size", "input", "24x16"), Edit("input_colour", "input", "grey")]
    steps = frame(chosen)["steps"]
    assert [step["step"] for step in steps] == ["grey", "resize"]
    assert (steps[1]["height"], steps[1]["width"]) == (24, 16)
    assert frame([Edit("stem_stride", "conv1", 2)]) == {}
    with pytest.raises(UsageError, match="exclude"):
        frame([*chosen, Edit("input_size", "input", "8x8")])
