"""In what order of axes each node should work, so that as few bytes as possible are transposed.

The search starts with every node as the graph has it and, where a cost arises (`layouts`), lets
either side adopt the other's order and everything that can follow do so; a move stays if it saves
bytes. So the result is never worse than the graph was.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator

from netsuke.ir import Axes, Graph, Relayout
from netsuke.ir.layout import compose, memory_order
from netsuke.passes.layouts import Cost, Layouts, Reading, State, cost_of, survey


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
