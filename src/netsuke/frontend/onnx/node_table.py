"""A graph whose nodes are exchanged one by one, without regard to their order."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import count

from netsuke.ir import Graph, Node, Quant, Tensor, verify


class NodeTable:
    """Nodes, by the tensors that they make and read; `finish` brings them in order again.

    Attributes
    ----------
    tensors, ports, outputs
        Those of the graph.
    makers
        Tensor -> the node that makes it.
    readers
        Tensor -> the nodes that read it, by name.
    """

    def __init__(self, graph: Graph) -> None:
        self.graph = graph
        self.tensors = dict(graph.tensors)
        self.makers = graph.producers()
        self.readers: dict[str, dict[str, Node]] = {name: {} for name in graph.tensors}
        self.outputs = list(graph.outputs)
        self.ports = dict(graph.ports)
        self._numbers = count()
        for node in graph.nodes:
            self.link(node)

    def link(self, node: Node) -> None:
        """Add a node."""
        for name in node.outputs:
            self.makers[name] = node
        for name in node.inputs:
            self.readers.setdefault(name, {})[node.name] = node

    def unlink(self, node: Node) -> None:
        """Take a node away."""
        for name in node.outputs:
            self.makers.pop(name, None)
        for name in node.inputs:
            self.readers[name].pop(node.name, None)

    def exchange(self, old: Sequence[Node], new: Sequence[Node]) -> None:
        """Put nodes in the place of others."""
        for node in old:
            self.unlink(node)
        for node in new:
            self.link(node)

    def new(self, wish: str, like: Tensor, quant: Quant | None) -> str:
        """A new activation of the same shape; an integer one if it has a quantization."""
        name = f"{wish}.{next(self._numbers)}"
        while name in self.tensors:
            name = f"{wish}.{next(self._numbers)}"
        dtype = "float32" if quant is None else "int8"
        self.tensors[name] = Tensor(name, like.shape, dtype, quant)
        self.readers[name] = {}
        return name

    def sorted_nodes(self) -> list[Node]:
        """All nodes that an output depends on, each behind those that it reads."""
        order: list[Node] = []
        done: set[str] = set()
        for output in self.outputs:
            stack = [(output, False)]
            while stack:
                name, ready = stack.pop()
                node = self.makers.get(name)
                if node is None or node.name in done:
                    continue
                if ready:
                    done.add(node.name)
                    order.append(node)
                else:
                    stack.append((name, True))
                    stack.extend((source, False) for source in reversed(node.inputs))
        return order

    def each(self, step: Callable[[Node], None], backwards: bool = False) -> None:
        """Call a step with every node in order, as it is when its turn comes."""
        names = [node.name for node in self.sorted_nodes()]
        for name in reversed(names) if backwards else names:
            node = self.makers.get(name)
            if node is not None:
                step(node)

    def merge(self, node: Node, source: str) -> None:
        """Let the readers of a node that changes nothing read its input."""
        if node.name in self.outputs:
            if source in self.makers and source not in self.outputs:
                self.unlink(node)
                self.rename(source, node.name)
            return
        for reader in list(self.readers[node.name].values()):
            inputs = tuple(source if name == node.name else name for name in reader.inputs)
            self.exchange([reader], [replace(reader, inputs=inputs)])
        self.unlink(node)

    def rename(self, old: str, new: str) -> None:
        """Give a computed tensor another name."""
        maker = self.makers[old]
        readers = list(self.readers[old].values())
        self.tensors[new] = replace(self.tensors.pop(old), name=new)
        swap = {old: new}
        nodes = list(dict.fromkeys((maker, *readers)))
        renamed = [
            Node(
                node.op,
                tuple(swap.get(name, name) for name in node.inputs),
                tuple(swap.get(name, name) for name in node.outputs),
            )
            for node in nodes
        ]
        self.exchange(nodes, renamed)

    def finish(self) -> Graph:
        """The new graph, with the tensors that are still named."""
        nodes = self.sorted_nodes()
        named = {*self.graph.inputs, *self.outputs}
        for node in nodes:
            named.update(node.inputs, node.outputs)
        tensors = {name: tensor for name, tensor in self.tensors.items() if name in named}
        return verify(replace(self.graph, nodes=tuple(nodes), tensors=tensors, ports=self.ports))
