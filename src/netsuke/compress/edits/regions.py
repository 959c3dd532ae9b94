"""Parts of a graph between one tensor and another, found from the dataflow alone.

Tensor a dominates tensor b when every way from the graph's inputs to b leads through a. The nearest
such a is b's immediate dominator; for a node it is the nearest tensor that dominates all its inputs
(Cooper, Harvey & Kennedy 2001, "A simple, fast dominance algorithm": one sweep suffices without
loops). The nodes between a and b make a region with one entry and one exit when nobody outside
reads what they make, but for b.
"""

from __future__ import annotations

from collections.abc import Iterator

from netsuke.ir import Graph, Node


class Dataflow:
    """Who makes and who reads each activation, and what dominates it.

    Parameters
    ----------
    graph
        Any valid graph.
    """

    def __init__(self, graph: Graph) -> None:
        self.graph = graph
        self.makers = graph.producers()
        self.readers = graph.consumers()
        self.macs = {
            node.name: node.op.cost(graph.in_of(node), graph.out_of(node)).macs
            for node in graph.nodes
        }
        self._above: dict[str, str] = dict.fromkeys(graph.inputs, "")
        self._depth: dict[str, int] = {"": 0, **dict.fromkeys(graph.inputs, 1)}
        for node in graph.nodes:
            sources = self.sources(node)
            nearest = sources[0] if sources else ""
            for other in sources[1:]:
                nearest = self._meet(nearest, other)
            for name in node.outputs:
                self._above[name], self._depth[name] = nearest, self._depth[nearest] + 1

    def sources(self, node: Node) -> list[str]:
        """The activations that a node reads, each once."""
        names = dict.fromkeys(node.inputs)
        return [name for name in names if not self.graph.tensors[name].is_constant]

    def _meet(self, a: str, b: str) -> str:
        while a != b:
            if self._depth[a] < self._depth[b]:
                a, b = b, a
            a = self._above[a]
        return a

    def dominators(self, tensor: str) -> Iterator[str]:
        """The tensors that dominate one, the nearest first."""
        while tensor := self._above[tensor]:
            yield tensor

    def between(self, entry: str, exit: str) -> frozenset[str] | None:
        """Names of the nodes from one tensor to another that it dominates, or None.

        None when somebody outside reads what one of them makes, besides the exit.
        """
        pending, inside = [exit], dict[str, Node]()
        while pending:
            node = self.makers.get(pending.pop())
            if node is None:
                return None
            if node.name not in inside:
                inside[node.name] = node
                pending += [name for name in self.sources(node) if name != entry]
        for node in inside.values():
            for name in node.outputs:
                if name != exit and self._escapes(name, inside):
                    return None
        return frozenset(inside)

    def _escapes(self, tensor: str, inside: dict[str, Node]) -> bool:
        return tensor in self.graph.outputs or any(
            reader.name not in inside for reader in self.readers[tensor]
        )

    def only_for(self, tensor: str, reader: Node) -> frozenset[str]:
        """Names of the nodes that compute a tensor and nothing else, if one reader loses it."""
        gone: set[str] = set()
        pending = [tensor]
        while pending:
            node = self.makers.get(pending.pop())
            if node is None or node.name in gone or not self._is_idle(node, gone, tensor, reader):
                continue
            gone.add(node.name)
            pending += self.sources(node)
        return frozenset(gone)

    def _is_idle(self, node: Node, gone: set[str], tensor: str, reader: Node) -> bool:
        for name in node.outputs:
            readers = [n for n in self.readers[name] if name != tensor or n is not reader]
            if name in self.graph.outputs or any(n.name not in gone for n in readers):
                return False
        return True

    def follows(self, node: Node) -> bool:
        """Whether a node only finishes what the one before it made: a normalization, a function."""
        sources = self.sources(node)
        if len(sources) != 1 or len(node.outputs) != 1 or self.macs[node.name]:
            return False
        return self.graph.tensors[sources[0]].type == self.graph.tensors[node.name].type

    def layer_behind(self, tensor: str) -> Node | None:
        """The node that a tensor comes from, but for what only finishes its work."""
        node = self.makers.get(tensor)
        while node is not None and self.follows(node):
            node = self.makers.get(self.sources(node)[0])
        return node

    def mixes_channels(self, node: Node) -> bool:
        """Whether a layer's outputs depend on several channels; a depthwise convolution's do not.

        A layer without constant weights, as a product of two activations, counts as one.
        """
        if not self.macs[node.name]:
            return False
        tensors = self.graph.in_of(node)
        origins = node.op.weight_inputs(tensors)
        axis = next(iter(node.op.rule.weights.values()), None)
        if origins is None or axis is None or not tensors[0].shape or tensors[0].shape[-1] == 1:
            return True
        others = tuple(other for other in range(origins.ndim) if other != axis)
        return bool((origins.max(axis=others) > origins.min(axis=others)).any())
