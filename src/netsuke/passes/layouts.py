"""A graph without its transpositions, and what each choice of layouts costs.

What remains are *roots* (graph inputs and the outputs of all other nodes) that are read through
an order of axes. A node that reads a root in another order than the one in which it is made costs
the bytes of that root; everything else is free.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import permutations

from netsuke.ir import Array, Axes, Graph, Node, Relayout, Tensor
from netsuke.ir.layout import compose, identity, memory_order
from netsuke.ops.transpose import Transpose

MOST_AXES = 5
"""Tensors of more axes are left as they are when their order does not follow at once."""

Cost = tuple[int, int, int]
"""Bytes transposed, transpositions, views."""


@dataclass(frozen=True, slots=True)
class Reading:
    """That somebody reads a root through an order of axes.

    `reader` is a node's name and the number of its input, or the name of a graph output.
    """

    root: str
    axes: Axes
    reader: str
    number: int = -1


@dataclass(slots=True)
class Layouts:
    """The variables of the search: an order of axes for every graph input and node.

    Attributes
    ----------
    graph
        The graph as it is.
    nodes
        Its nodes without the transpositions.
    through
        Tensor -> the root that it shows and the order of axes in which it shows it.
    inputs
        Graph input -> order of axes in which it is stored.
    chosen
        Node -> its form.
    """

    graph: Graph
    nodes: dict[str, Node]
    through: dict[str, tuple[str, Axes]]
    inputs: dict[str, Axes]
    chosen: dict[str, Relayout]
    readers: Mapping[str, Sequence[Node]]
    makers: dict[str, str] = field(default_factory=dict)
    readings: dict[str, list[Reading]] = field(default_factory=dict)
    exported: dict[str, str] = field(default_factory=dict)
    forms: dict[tuple[str, Axes], Relayout | None] = field(default_factory=dict)

    def tensors(self, node: Node) -> tuple[Tensor, ...]:
        return self.graph.in_of(node)

    def made(self, root: str, state: State | None = None) -> Axes:
        """The order of axes in which a root is stored."""
        maker = self.makers.get(root)
        if maker is None:
            inputs = self.inputs if state is None else state.inputs
            return inputs.get(root, identity(len(self.graph.tensors[root].shape)))
        form = self.chosen[maker] if state is None else state.form(maker)
        return form.outputs[self.nodes[maker].outputs.index(root)]

    def wanted(self, reading: Reading, state: State | None = None) -> Axes | None:
        """The order of axes of the root that a reader wants; None when it takes any."""
        if reading.number < 0:
            return None if self.exported.get(reading.root) == reading.reader else reading.axes
        form = self.chosen[reading.reader] if state is None else state.form(reading.reader)
        axes = form.inputs[reading.number]
        assert axes is not None
        return compose(reading.axes, axes)

    def form(self, name: str, axes: Axes) -> Relayout | None:
        """The node in the form in which its first activation is stored in this order."""
        key = (name, axes)
        if key not in self.forms:
            self.forms[key] = self._form(self.nodes[name], axes)
        return self.forms[key]

    def _form(self, node: Node, axes: Axes) -> Relayout | None:
        inputs = self.tensors(node)
        if axes == identity(len(axes)):
            return natural_form(self.graph, node)
        form = node.op.permuted(inputs, axes)
        if form is None:
            return None
        if form.order is not None:
            plain = form.outputs[0] == identity(len(form.outputs[0]))
            output = node.outputs[0]
            if not plain or not absorbs(self.graph, self.readers, output, form.order):
                return None
        return form

    def candidates(self, name: str) -> Iterator[Relayout]:
        """Every form of a node, the natural one first."""
        node = self.nodes[name]
        first = next((t for t in self.tensors(node) if not t.is_constant), None)
        if first is None:
            yield natural_form(self.graph, node)
            return
        rank = len(first.shape)
        if rank > MOST_AXES:
            yield natural_form(self.graph, node)
            return
        for axes in permutations(range(rank)):
            form = self.form(name, axes)
            if form is not None:
                yield form


@dataclass(slots=True)
class State:
    """A trial: what differs from the layouts chosen so far."""

    layouts: Layouts
    inputs: dict[str, Axes]
    forms: dict[str, Relayout]

    def form(self, name: str) -> Relayout:
        return self.forms.get(name) or self.layouts.chosen[name]


def natural_form(graph: Graph, node: Node) -> Relayout:
    """A node as the graph has it."""
    return Relayout(
        node.op,
        tuple(None if t.is_constant else identity(len(t.shape)) for t in graph.in_of(node)),
        tuple(identity(len(t.shape)) for t in graph.out_of(node)),
    )


def absorbs(graph: Graph, readers: Mapping[str, Sequence[Node]], tensor: str, order: Array) -> bool:
    """Whether all who read a tensor can take its last axis in another order of elements."""
    if tensor in graph.outputs:
        return False
    for node in readers[tensor]:
        activations = [name for name in node.inputs if not graph.tensors[name].is_constant]
        if activations != [tensor] or node.inputs[0] != tensor:
            return False
        answer = node.op.reordered(graph.in_of(node), order)
        if answer is None:
            return False
        if answer.order is not None:
            # Tensors of one axis have no other order of axes that could come in between.
            if len(graph.tensors[tensor].shape) > 1:
                return False
            if not all(absorbs(graph, readers, name, answer.order) for name in node.outputs):
                return False
    return bool(readers[tensor])


def survey(graph: Graph) -> Layouts:
    """The graph without its transpositions, every node in its natural form."""
    through = {name: (name, identity(len(t.shape))) for name, t in graph.tensors.items()}
    nodes: dict[str, Node] = {}
    for node in graph.nodes:
        if isinstance(node.op, Transpose):
            root, axes = through[node.inputs[0]]
            through[node.outputs[0]] = (root, compose(axes, node.op.axes))
        else:
            nodes[node.name] = node
    inputs = {name: identity(len(graph.tensors[name].shape)) for name in graph.inputs}
    layouts = Layouts(graph, nodes, through, inputs, {}, graph.consumers())
    for node in nodes.values():
        layouts.chosen[node.name] = natural_form(graph, node)
        for name in node.outputs:
            layouts.makers[name] = node.name
        for number, name in enumerate(node.inputs):
            if not graph.tensors[name].is_constant:
                root, axes = through[name]
                reading = Reading(root, axes, node.name, number)
                layouts.readings.setdefault(root, []).append(reading)
    for name in graph.outputs:
        root, axes = through[name]
        layouts.readings.setdefault(root, []).append(Reading(root, axes, name))
        if root not in graph.inputs and not graph.tensors[root].is_constant:
            direct = root in graph.outputs
            layouts.exported.setdefault(root, root if direct else name)
    return layouts


def cost_of(layouts: Layouts, root: str, state: State | None = None) -> Cost:
    """What it costs that readers of a root want other orders of axes than it has."""
    tensor = layouts.graph.tensors[root]
    made = layouts.made(root, state)
    order = memory_order(tensor.shape, made)
    moved: set[Axes] = set()
    viewed: set[Axes] = set()
    for reading in layouts.readings.get(root, ()):
        wanted = layouts.wanted(reading, state)
        if wanted is None or wanted == made:
            continue
        memory = memory_order(tensor.shape, wanted)
        if memory == order:
            viewed.add(wanted)
        else:
            moved.add(memory)
    return tensor.size * len(moved), len(moved), len(viewed)
