"""Changes of a network's design besides the widths of its layers, with the weights it has.

An edit is a pure function from graph to graph. Names of nodes and tensors survive, so that further
edits and `netsuke.passes.channel_groups` work on the result. A kind of edit is one file here and
one line in `KINDS`.
"""

from __future__ import annotations

from collections.abc import Iterable

from netsuke.compress.edits.drop_block import DROP_BLOCK
from netsuke.compress.edits.edit import Edit, Kind, exclusive, ordered
from netsuke.compress.edits.input_colour import INPUT_COLOUR
from netsuke.compress.edits.input_size import INPUT_SIZE
from netsuke.compress.edits.shrink_kernel import SHRINK_KERNEL
from netsuke.compress.edits.stem_stride import STEM_STRIDE
from netsuke.compress.edits.views import frame, view
from netsuke.errors import UsageError
from netsuke.ir import Graph, verify
from netsuke.passes.edit import own_constants

__all__ = ["KINDS", "Edit", "apply_edits", "edits", "exclusive", "frame", "view"]

KINDS: tuple[Kind, ...] = (INPUT_COLOUR, INPUT_SIZE, STEM_STRIDE, SHRINK_KERNEL, DROP_BLOCK)
"""Every kind, in the order in which they are applied."""


def edits(graph: Graph) -> tuple[Edit, ...]:
    """Everything that a float graph offers, in a fixed order; nothing for a quantized graph.

    Each works alone. Any set of them without two that exclude each other works, too, but for
    sizes that become too small together, which `apply_edits` refuses.
    """
    if _is_quantized(graph):
        return ()
    return tuple(edit for kind in KINDS for edit in kind.offers(graph))


def apply_edits(graph: Graph, chosen: Iterable[Edit]) -> Graph:
    """Return the graph with some edits; the order in which they are given makes no difference.

    Parameters
    ----------
    graph
        A float graph.
    chosen
        Edits of this graph: from `edits`, or others of the same kinds that it can take.

    Raises
    ------
    UsageError
        When two edits exclude each other, a kind is unknown, or the graph is quantized.
    GraphError
        Naming the place, when an edit does not apply.
    """
    wanted = ordered(chosen)
    known = [kind.name for kind in KINDS]
    for edit in wanted:
        if edit.kind not in known:
            raise UsageError(f"{edit.kind!r} is no kind of edit; known are {', '.join(known)}")
    if not wanted:
        return graph
    if _is_quantized(graph):
        raise UsageError(f"{graph.name} is quantized already; edits need the float model")
    origin = graph = own_constants(graph)
    for kind in KINDS:
        mine = [edit for edit in wanted if edit.kind == kind.name]
        if mine:
            graph = kind.apply(graph, mine, origin)
    return verify(graph)


def _is_quantized(graph: Graph) -> bool:
    return any(tensor.quant is not None for tensor in graph.tensors.values())
