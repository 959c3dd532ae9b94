"""The immutable graph on which everything works."""

from netsuke.ir.build import GraphBuilder
from netsuke.ir.graph import Graph, Node, Port, verify
from netsuke.ir.interpret import interpret, interpret_batch, is_integer_node
from netsuke.ir.layout import Axes, Relayout
from netsuke.ir.link import Link, Slot
from netsuke.ir.op import Cost, Kernel, Op, QuantRule, View
from netsuke.ir.range import Addends, Range, possible_range
from netsuke.ir.serialize import load_graph, save_graph
from netsuke.ir.tensor import ITEMSIZE, Array, Quant, Tensor, TensorType, constant
from netsuke.ir.text import to_text
from netsuke.ir.tile import Box, Tile, elementwise_tile

__all__ = [
    "ITEMSIZE",
    "Addends",
    "Array",
    "Axes",
    "Box",
    "Cost",
    "Graph",
    "GraphBuilder",
    "Kernel",
    "Link",
    "Node",
    "Op",
    "Port",
    "Quant",
    "QuantRule",
    "Range",
    "Relayout",
    "Slot",
    "Tensor",
    "TensorType",
    "Tile",
    "View",
    "constant",
    "elementwise_tile",
    "interpret",
    "interpret_batch",
    "is_integer_node",
    "load_graph",
    "possible_range",
    "save_graph",
    "to_text",
    "verify",
]
