"""In what order of axes each node should work, so that as few bytes as possible are transposed.

Transpose nodes are taken out of the graph first: what remains are *roots* (graph inputs and the
outputs of all other nodes) that are read through an order of axes. A node that reads a root in
another order than the one in which it is made costs the bytes of that root; everything else is
free. The search starts with every node as the graph has it and, where a cost arises, lets either
side adopt the other's order and everything that can follow do so; a move stays if it saves
bytes. So the result is never worse than the graph was.
"""

from __future__ import annotations

from collections import deque
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


def choose_layouts(graph: Graph) -> Layouts:
    """Search until no move saves bytes."""
    layouts = survey(graph)
    improved = True
    while improved:
        improved = False
        for root in list(layouts.readings):
            while cost_of(layouts, root) > (0, 0, 0):
                if not _improve(layouts, root):
                    break
                improved = True
    return layouts


def _improve(layouts: Layouts, root: str) -> bool:
    """Try every move at a root and keep the best that saves something."""
    best: tuple[Cost, State] | None = None
    for state in _moves(layouts, root):
        touched = _touched(layouts, state)
        before = _total(cost_of(layouts, name) for name in touched)
        after = _total(cost_of(layouts, name, state) for name in touched)
        gain = (after[0] - before[0], after[1] - before[1], after[2] - before[2])
        if gain < (0, 0, 0) and (best is None or gain < best[0]):
            best = (gain, state)
    if best is None:
        return False
    layouts.inputs.update(best[1].inputs)
    layouts.chosen.update(best[1].forms)
    return True


def _total(costs: Iterator[Cost]) -> Cost:
    total = (0, 0, 0)
    for cost in costs:
        total = (total[0] + cost[0], total[1] + cost[1], total[2] + cost[2])
    return total


def _touched(layouts: Layouts, state: State) -> set[str]:
    """The roots whose cost a trial may change."""
    roots = set(state.inputs)
    for name in state.forms:
        node = layouts.nodes[name]
        roots.update(node.outputs)
        roots.update(
            layouts.through[tensor][0]
            for tensor in node.inputs
            if not layouts.graph.tensors[tensor].is_constant
        )
    return roots


def _moves(layouts: Layouts, root: str) -> Iterator[State]:
    """Trials that make one reading of a root free."""
    shape = layouts.graph.tensors[root].shape
    made = layouts.made(root)
    for reading in layouts.readings[root]:
        wanted = layouts.wanted(reading)
        if wanted is None or wanted == made:
            continue
        if reading.number >= 0:
            state = State(layouts, {}, {})
            form = _fitting(layouts, state, reading.reader, reading, made)
            if form is not None:
                state.forms[reading.reader] = form
                _flood(layouts, state, reading.reader)
                yield state
        if root in layouts.inputs:
            state = State(layouts, {root: wanted}, {})
            _follow(layouts, state, root, deque())
            yield state
        elif root in layouts.makers:
            maker = layouts.makers[root]
            index = layouts.nodes[maker].outputs.index(root)
            for form in layouts.candidates(maker):
                if memory_order(shape, form.outputs[index]) == memory_order(shape, wanted):
                    state = State(layouts, {}, {maker: form})
                    _flood(layouts, state, maker)
                    yield state


def _flood(layouts: Layouts, state: State, start: str) -> None:
    """Let everything follow that is connected to a node of a trial and can."""
    queue = deque([start])
    while queue:
        node = layouts.nodes[queue.popleft()]
        for name in node.outputs:
            _follow(layouts, state, name, queue)
        for number, name in enumerate(node.inputs):
            if not layouts.graph.tensors[name].is_constant:
                root, axes = layouts.through[name]
                reading = Reading(root, axes, node.name, number)
                _lead(layouts, state, reading, queue)


def _follow(layouts: Layouts, state: State, root: str, queue: deque[str]) -> None:
    """Readers of a root adopt the order in which it is made."""
    made = layouts.made(root, state)
    for reading in layouts.readings.get(root, ()):
        if reading.number < 0 or reading.reader in state.forms:
            continue
        if layouts.wanted(reading, state) == made:
            continue
        form = _fitting(layouts, state, reading.reader, reading, made)
        if form is not None:
            state.forms[reading.reader] = form
            queue.append(reading.reader)


def _lead(layouts: Layouts, state: State, reading: Reading, queue: deque[str]) -> None:
    """The maker of a root adopts the order that a reader wants."""
    wanted = layouts.wanted(reading, state)
    root = reading.root
    if wanted is None or wanted == layouts.made(root, state):
        return
    shape = layouts.graph.tensors[root].shape
    if root in layouts.inputs:
        if root not in state.inputs:
            state.inputs[root] = wanted
            _follow(layouts, state, root, queue)
        return
    maker = layouts.makers.get(root)
    if maker is None or maker in state.forms:
        return
    index = layouts.nodes[maker].outputs.index(root)
    order = memory_order(shape, wanted)
    fitting = [
        form
        for form in layouts.candidates(maker)
        if memory_order(shape, form.outputs[index]) == order
    ]
    chosen = _cheapest(layouts, state, maker, fitting)
    if chosen is not None and not _same(chosen, layouts.chosen[maker]):
        state.forms[maker] = chosen
        queue.append(maker)


def _same(left: Relayout, right: Relayout) -> bool:
    return left.inputs == right.inputs and left.outputs == right.outputs


def _fitting(
    layouts: Layouts, state: State, name: str, reading: Reading, made: Axes
) -> Relayout | None:
    """The cheapest form in which a node reads a root in the order in which it is made."""
    shape = layouts.graph.tensors[reading.root].shape
    order = memory_order(shape, made)
    fitting = []
    for form in layouts.candidates(name):
        axes = form.inputs[reading.number]
        if axes is not None and memory_order(shape, compose(reading.axes, axes)) == order:
            fitting.append(form)
    chosen = _cheapest(layouts, state, name, fitting)
    if chosen is None or _same(chosen, state.form(name)):
        return None
    return chosen


def _cheapest(layouts: Layouts, state: State, name: str, forms: list[Relayout]) -> Relayout | None:
    """Of several forms of a node, the one that costs least around it."""
    if len(forms) <= 1:
        return forms[0] if forms else None
    best: tuple[Cost, Relayout] | None = None
    for form in forms:
        trial = State(layouts, state.inputs, {**state.forms, name: form})
        roots = _touched(layouts, State(layouts, {}, {name: form}))
        total = _total(cost_of(layouts, root, trial) for root in roots)
        if best is None or total < best[0]:
            best = (total, form)
    assert best is not None
    return best[1]
