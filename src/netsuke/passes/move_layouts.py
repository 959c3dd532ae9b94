"""Leave as few transpositions as possible."""

from __future__ import annotations

from dataclasses import replace

from netsuke.ir import Axes, Graph, Node, Port, Relayout, Tensor
from netsuke.ir.layout import compose, identity, inverse, memory_order, permuted_shape
from netsuke.ops.reshape import Reshape
from netsuke.ops.transpose import Transpose
from netsuke.passes.layout_search import choose_layouts
from netsuke.passes.layouts import Layouts


def move_layouts(graph: Graph) -> Graph:
    """Let nodes work in such orders of axes that as few bytes as possible are transposed.

    Models with channels first arrive with a transposition on either side of every convolution.
    Those cancel, move through operators that do not mind (`Op.permuted`), end in the weights of
    a dense layer behind a flattening (`Op.reordered`), or at the border of the graph, where the
    `Port` of an input or output tells how the model file shows it.
    """
    if not any(isinstance(node.op, Transpose) for node in graph.nodes):
        return graph
    after = _Emission(graph, choose_layouts(graph)).build()
    return graph if after.nodes == graph.nodes and after.ports == graph.ports else after


class _Emission:
    """The graph in the chosen layouts, under construction."""

    def __init__(self, graph: Graph, layouts: Layouts) -> None:
        self.graph = graph
        self.layouts = layouts
        self.nodes: list[Node] = []
        self.tensors: dict[str, Tensor] = {t.name: t for t in graph.constants()}
        self.ports = dict(graph.ports)
        self.reordered: dict[str, Relayout] = {}
        self.shown: dict[tuple[str, Axes], str] = {
            (t.name, identity(len(t.shape))): t.name for t in graph.constants()
        }
        self.names = {root: output for root, output in layouts.exported.items() if root != output}

    def build(self) -> Graph:
        for name in self.graph.inputs:
            axes = self.layouts.made(name)
            self._declare(name, axes)
            self._port(name, axes)
        for node in self.layouts.nodes.values():
            self._node(node)
        for name in self.graph.outputs:
            self._output(name)
        live = {*self.graph.inputs, *self.graph.outputs}
        for node in self.nodes:
            live.update(node.inputs, node.outputs)
        return replace(
            self.graph,
            nodes=tuple(self.nodes),
            tensors={name: tensor for name, tensor in self.tensors.items() if name in live},
            ports=self.ports,
        )

    def _declare(self, root: str, axes: Axes) -> None:
        tensor = self.graph.tensors[root]
        name = self.names.get(root, root)
        shape = permuted_shape(tensor.shape, axes)
        self.tensors[name] = replace(tensor, name=name, shape=shape)
        self.shown[root, axes] = name

    def _node(self, node: Node) -> None:
        form = self.layouts.chosen[node.name]
        pending = self.reordered.get(node.inputs[0]) if node.inputs else None
        op, constants = form.op, dict(form.constants)
        if pending is not None and pending.order is not None:
            answer = node.op.reordered(self.graph.in_of(node), pending.order)
            assert answer is not None
            op, constants = answer.op, dict(answer.constants)
            if answer.order is not None:
                self.reordered.update(dict.fromkeys(node.outputs, answer))
        elif form.order is not None:
            self.reordered[node.outputs[0]] = form
        inputs = []
        for number, name in enumerate(node.inputs):
            axes = form.inputs[number]
            if number in constants:
                inputs.append(self._constant(constants[number]))
            elif axes is None:
                inputs.append(name)
            else:
                root, through = self.layouts.through[name]
                inputs.append(self._show(root, compose(through, axes)))
        for name, axes in zip(node.outputs, form.outputs, strict=True):
            self._declare(name, axes)
        outputs = tuple(self.names.get(name, name) for name in node.outputs)
        self.nodes.append(Node(op, tuple(inputs), outputs))

    def _constant(self, tensor: Tensor) -> str:
        old = self.graph.tensors[tensor.name]
        if old.data is tensor.data and old.shape == tensor.shape:
            return tensor.name
        name = self._fresh(f"{tensor.name}_moved")
        self.tensors[name] = replace(tensor, name=name)
        return name

    def _fresh(self, wish: str) -> str:
        name, number = wish, 1
        while name in self.tensors or name in self.graph.tensors:
            name, number = f"{wish}_{number}", number + 1
        return name

    def _show(self, root: str, axes: Axes, name: str = "") -> str:
        """The tensor that holds a root in an order of axes; a transposition where need be."""
        known = self.shown.get((root, axes))
        if known is not None and not name:
            return known
        made = self.layouts.made(root)
        source = self.tensors[self.shown[root, made]]
        if not name:
            old = [n for n, shown in self.layouts.through.items() if shown == (root, axes)]
            free = [n for n in old if n not in self.tensors and n not in self.graph.outputs]
            name = free[0] if free else self._fresh(f"{root}_transposed")
        shape = self.graph.tensors[root].shape
        target = permuted_shape(shape, axes)
        op: Reshape | Transpose = Transpose(compose(inverse(made), axes))
        if memory_order(shape, made) == memory_order(shape, axes):
            op = Reshape(target)
        self.tensors[name] = replace(source, name=name, shape=target)
        self.nodes.append(Node(op, (source.name,), (name,)))
        self.shown.setdefault((root, axes), name)
        return name

    def _output(self, name: str) -> None:
        root, axes = self.layouts.through[name]
        if self.layouts.exported.get(root) == name:
            self._port(name, compose(inverse(axes), self.layouts.made(root)))
        elif name not in self.graph.inputs and not self.graph.tensors[name].is_constant:
            self._show(root, axes, name)

    def _port(self, name: str, axes: Axes) -> None:
        """Note that an input or output is now stored as ``before.transpose(axes)``."""
        if axes == identity(len(axes)):
            return
        before = self.ports.get(name) or Port(identity(len(axes)), self.graph.tensors[name].dtype)
        after = compose(before.axes, axes)
        if after == identity(len(axes)) and before.dtype == self.graph.tensors[name].dtype:
            self.ports.pop(name, None)
        else:
            self.ports[name] = Port(after, before.dtype)
