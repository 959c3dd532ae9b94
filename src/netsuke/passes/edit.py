"""Altering a graph: the bookkeeping that passes share."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy.typing as npt

from netsuke.ir import Graph, Node, Op, Port, Quant, Tensor, constant, verify


class Edit:
    """A graph under alteration; `finish` hands out the new one, or the old if nothing changed.

    Nodes are known by the name of their first output. Names of graph inputs and outputs survive.
    """

    def __init__(self, graph: Graph) -> None:
        self.graph = graph
        self.tensors: dict[str, Tensor] = dict(graph.tensors)
        self.ports: dict[str, Port] = dict(graph.ports)
        self.changed = False
        self._nodes: dict[str, Node] = {node.name: node for node in graph.nodes}
        self._place: dict[str, float] = {n.name: float(i) for i, n in enumerate(graph.nodes)}
        self._maker: dict[str, str] = {t: n.name for n in graph.nodes for t in n.outputs}
        self._readers: dict[str, list[str]] = {}
        for node in graph.nodes:
            for name in dict.fromkeys(node.inputs):
                self._readers.setdefault(name, []).append(node.name)

    def is_alive(self, node: Node) -> bool:
        """Whether a node is still in the graph, unaltered."""
        return self._nodes.get(node.name) is node

    def node(self, name: str) -> Node | None:
        """The node of this name as it is now."""
        return self._nodes.get(name)

    def producer(self, tensor: str) -> Node | None:
        """The node that makes a tensor; None for inputs and constants."""
        return self._nodes.get(self._maker.get(tensor, ""))

    def readers(self, tensor: str) -> list[Node]:
        """The nodes that read a tensor, in order."""
        names = sorted(self._readers.get(tensor, ()), key=lambda name: self._place[name])
        return [self._nodes[name] for name in names]

    def is_output(self, tensor: str) -> bool:
        return tensor in self.graph.outputs

    def has_one_reader(self, tensor: str) -> bool:
        """Whether exactly one node reads a tensor and nobody outside the graph does."""
        return len(self._readers.get(tensor, ())) == 1 and not self.is_output(tensor)

    def sole_producer(self, tensor: str) -> Node | None:
        """The node that makes a tensor for exactly one reader."""
        return self.producer(tensor) if self.has_one_reader(tensor) else None

    def inputs(self, node: Node) -> tuple[Tensor, ...]:
        return tuple(self.tensors[name] for name in node.inputs)

    def outputs(self, node: Node) -> tuple[Tensor, ...]:
        return tuple(self.tensors[name] for name in node.outputs)

    def fresh(self, wish: str) -> str:
        """A name that no tensor has yet, as close to the wish as possible."""
        name, number = wish, 1
        while name in self.tensors:
            name, number = f"{wish}_{number}", number + 1
        return name

    def constant(self, wish: str, data: npt.ArrayLike, quant: Quant | None = None) -> str:
        """Add a constant and return its name."""
        name = self.fresh(wish)
        self.tensors[name] = constant(name, data, quant)
        return name

    def store(self, tensor: Tensor) -> str:
        """Add a constant under a fresh name close to its own and return the name."""
        name = self.fresh(tensor.name)
        self.tensors[name] = replace(tensor, name=name)
        return name

    def add(
        self,
        op: Op,
        inputs: Sequence[str],
        before: Node,
        wish: str,
        quant: Quant | None = None,
    ) -> str:
        """Add a node with one output before another node and return the output's name."""
        (kind,) = op.infer([self.tensors[name] for name in inputs])
        name = self.fresh(wish)
        self.tensors[name] = Tensor(name, kind.shape, kind.dtype, quant)
        self._insert(Node(op, tuple(inputs), (name,)), self._place[before.name] - 1e-6)
        return name

    def _insert(self, node: Node, place: float) -> None:
        self._nodes[node.name] = node
        self._place[node.name] = place
        for name in node.outputs:
            self._maker[name] = node.name
        for name in dict.fromkeys(node.inputs):
            self._readers.setdefault(name, []).append(node.name)
        self.changed = True

    def _detach(self, node: Node) -> float:
        del self._nodes[node.name]
        for name in dict.fromkeys(node.inputs):
            self._readers[name].remove(node.name)
        for name in node.outputs:
            if self._maker.get(name) == node.name:
                del self._maker[name]
        self.changed = True
        return self._place.pop(node.name)

    def replace(
        self,
        node: Node,
        op: Op | None = None,
        inputs: Sequence[str] | None = None,
        outputs: Sequence[str] | None = None,
    ) -> Node:
        """Put another operator, other inputs or other outputs into a node; return the new node.

        The types of the outputs follow the operator.
        """
        new = Node(
            op if op is not None else node.op,
            tuple(inputs) if inputs is not None else node.inputs,
            tuple(outputs) if outputs is not None else node.outputs,
        )
        self._insert(new, self._detach(node))
        for name, kind in zip(new.outputs, new.op.infer(self.inputs(new)), strict=True):
            self.tensors[name] = replace(self.tensors[name], shape=kind.shape, dtype=kind.dtype)
        return new

    def remove(self, node: Node) -> None:
        """Take a node out; its outputs must have another producer or no reader."""
        self._detach(node)

    def bypass(self, node: Node, source: str) -> bool:
        """Let everybody who reads a node's only output read `source` instead.

        A graph output keeps its name: then `source` is renamed, which is impossible (False, and
        nothing changes) when `source` is itself an input, an output or a constant.
        """
        (output,) = node.outputs
        if self.is_output(output):
            maker = self.producer(source)
            if maker is None or self.is_output(source):
                return False
            self._detach(node)
            kept = replace(self.tensors[source], name=output)
            self._redirect(source, output)
            self.tensors[output] = kept
            outputs = [output if name == source else name for name in maker.outputs]
            self._insert(replace(maker, outputs=tuple(outputs)), self._detach(maker))
            return True
        self._detach(node)
        self._redirect(output, source)
        return True

    def _redirect(self, old: str, new: str) -> None:
        for reader in self.readers(old):
            inputs = tuple(new if name == old else name for name in reader.inputs)
            self._insert(replace(reader, inputs=inputs), self._detach(reader))

    def finish(self) -> Graph:
        """The altered graph, without what nothing depends on, in an order that can run."""
        if not self.changed:
            return self.graph
        nodes = self._sorted()
        live = {*self.graph.inputs, *self.graph.outputs}
        for node in nodes:
            live.update(node.inputs, node.outputs)
        return replace(
            self.graph,
            nodes=nodes,
            tensors={name: tensor for name, tensor in self.tensors.items() if name in live},
            ports={name: port for name, port in self.ports.items() if name in live},
        )

    def _sorted(self) -> tuple[Node, ...]:
        """The live nodes: as before where possible, producers first always."""
        live: set[str] = set()
        stack = [self._maker[name] for name in self.graph.outputs if name in self._maker]
        while stack:
            name = stack.pop()
            if name not in live:
                live.add(name)
                inputs = self._nodes[name].inputs
                stack += [self._maker[tensor] for tensor in inputs if tensor in self._maker]
        order: list[Node] = []
        done: set[str] = set()
        for start in sorted(live, key=lambda name: self._place[name]):
            pending = [start]
            while pending:
                node = self._nodes[pending[-1]]
                makers = [self._maker[t] for t in node.inputs if t in self._maker]
                missing = [maker for maker in makers if maker not in done]
                if missing:
                    pending += reversed(missing)
                    continue
                pending.pop()
                if node.name not in done:
                    done.add(node.name)
                    order.append(node)
        return tuple(order)


def own_constants(graph: Graph) -> Graph:
    """The graph with a constant of its own wherever several nodes, or inputs, share one.

    Passes merge constants that are equal, such as biases that are still zero; who alters or learns
    them would otherwise have to keep them equal.
    """
    seen: set[str] = set()
    tensors, nodes = dict(graph.tensors), []
    for node in graph.nodes:
        names = []
        for name in node.inputs:
            tensor = graph.tensors[name]
            if tensor.is_constant and name in seen:
                number = 1
                while f"{name}.{number}" in tensors:
                    number += 1
                tensors[f"{name}.{number}"] = replace(tensor, name=f"{name}.{number}")
                name = f"{name}.{number}"
            seen.add(name)
            names.append(name)
        nodes.append(replace(node, inputs=tuple(names)))
    return verify(replace(graph, nodes=tuple(nodes), tensors=tensors))
