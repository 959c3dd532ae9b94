"""A builder: the one place where a graph is under construction."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy.typing as npt

from netsuke.ir.graph import Graph, Node, Port, verify
from netsuke.ir.op import Op
from netsuke.ir.tensor import Quant, Tensor, constant


class GraphBuilder:
    """Collects nodes and hands out a verified, immutable `Graph`.

    Frontends, the zoo and tests build graphs with it; passes rewrite graphs instead.
    """

    def __init__(self, name: str = "model") -> None:
        self.name = name
        self.tensors: dict[str, Tensor] = {}
        self.nodes: list[Node] = []
        self.inputs: list[str] = []
        self.ports: dict[str, Port] = {}

    def fresh(self, wish: str) -> str:
        """A name that no tensor has yet, as close to the wish as possible."""
        name, number = wish, 1
        while name in self.tensors:
            name, number = f"{wish}_{number}", number + 1
        return name

    def input(
        self, name: str, shape: Sequence[int], dtype: str = "float32", quant: Quant | None = None
    ) -> str:
        """Declare a graph input and return its name."""
        name = self.fresh(name)
        self.tensors[name] = Tensor(name, tuple(shape), dtype, quant)
        self.inputs.append(name)
        return name

    def constant(self, name: str, data: npt.ArrayLike, quant: Quant | None = None) -> str:
        """Add a constant and return its name."""
        name = self.fresh(name)
        self.tensors[name] = constant(name, data, quant)
        return name

    def add(
        self,
        op: Op,
        inputs: Sequence[str],
        names: Sequence[str] = (),
        quants: Sequence[Quant | None] = (),
    ) -> tuple[str, ...]:
        """Append a node; its outputs get the inferred types and, if given, names and quants."""
        types = op.infer([self.tensors[name] for name in inputs])
        outputs = []
        for index, kind in enumerate(types):
            name = self.fresh(names[index] if index < len(names) else op.kind)
            quant = quants[index] if index < len(quants) else None
            self.tensors[name] = Tensor(name, kind.shape, kind.dtype, quant)
            outputs.append(name)
        self.nodes.append(Node(op, tuple(inputs), tuple(outputs)))
        return tuple(outputs)

    def one(self, op: Op, *inputs: str, name: str = "", quant: Quant | None = None) -> str:
        """Append a node with one output and return the output's name."""
        (output,) = self.add(op, inputs, [name] if name else [], [quant])
        return output

    def build(self, outputs: Sequence[str], ports: Mapping[str, Port] | None = None) -> Graph:
        """Return the verified graph."""
        return verify(
            Graph(
                inputs=tuple(self.inputs),
                outputs=tuple(outputs),
                nodes=tuple(self.nodes),
                tensors=dict(self.tensors),
                name=self.name,
                ports=dict(ports or self.ports),
            )
        )
