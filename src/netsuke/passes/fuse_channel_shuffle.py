"""Channel shuffles that are spelled as reshape, transpose, reshape."""

from __future__ import annotations

from netsuke.ir import Graph, Node
from netsuke.ops.channel_shuffle import ChannelShuffle
from netsuke.ops.reshape import Reshape
from netsuke.ops.transpose import Transpose
from netsuke.passes.edit import Edit


def fuse_channel_shuffle(graph: Graph) -> Graph:
    """Recognize ``reshape (…, g, c/g, …) → transpose → reshape back`` as a channel shuffle.

    An axis other than the last is made the last before and moved back after, by transpositions
    that `move_layouts` cancels against those around them.
    """
    edit = Edit(graph)
    for name in [node.name for node in graph.nodes]:
        node = edit.node(name)
        if node is not None and isinstance(node.op, Reshape):
            _fuse(edit, node)
    return edit.finish()


def _fuse(edit: Edit, last: Node) -> None:
    middle = edit.sole_producer(last.inputs[0])
    if middle is None or not isinstance(middle.op, Transpose):
        return
    first = edit.sole_producer(middle.inputs[0])
    if first is None or not isinstance(first.op, Reshape):
        return
    x, y = edit.inputs(first)[0], edit.outputs(last)[0]
    axis = _shuffled_axis(x.shape, first.op.shape, middle.op.axes)
    if axis is None or x.shape != y.shape:
        return
    groups, rank = first.op.shape[axis], len(x.shape)
    if axis == rank - 1:
        edit.replace(last, ChannelShuffle(groups), [x.name])
        return
    there = (*(i for i in range(rank) if i != axis), axis)
    back = tuple(there.index(i) for i in range(rank))
    moved = edit.add(Transpose(there), [x.name], last, f"{y.name}_last", x.quant)
    shuffled = edit.add(ChannelShuffle(groups), [moved], last, f"{y.name}_shuffled", x.quant)
    edit.replace(last, Transpose(back), [shuffled])


def _shuffled_axis(
    shape: tuple[int, ...], split: tuple[int, ...], axes: tuple[int, ...]
) -> int | None:
    """The axis that is split in two whose order a transposition exchanges, and nothing else."""
    for axis, extent in enumerate(shape):
        expected = list(range(len(split)))
        expected[axis : axis + 2] = [axis + 1, axis]
        if (
            len(split) == len(shape) + 1
            and split[:axis] == shape[:axis]
            and split[axis + 2 :] == shape[axis + 1 :]
            and split[axis] * split[axis + 1] == extent
            and list(axes) == expected
        ):
            return axis
    return None
