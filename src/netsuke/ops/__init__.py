"""What each operator means: one folder an operator.

`OPERATORS` is the list; deleting a folder and its line deletes the operator.
"""

from __future__ import annotations

from netsuke.ir import Op
from netsuke.ops.abs import Abs as Abs
from netsuke.ops.add import Add as Add
from netsuke.ops.arg_max import ArgMax as ArgMax
from netsuke.ops.average_pool2d import AveragePool2d as AveragePool2d
from netsuke.ops.batch_norm import BatchNorm as BatchNorm
from netsuke.ops.channel_shuffle import ChannelShuffle as ChannelShuffle
from netsuke.ops.clamp import Clamp as Clamp
from netsuke.ops.concat import Concat as Concat
from netsuke.ops.conv2d import Conv2d as Conv2d
from netsuke.ops.decide import Decide as Decide
from netsuke.ops.dense import Dense as Dense
from netsuke.ops.depthwise_conv2d import DepthwiseConv2d as DepthwiseConv2d
from netsuke.ops.dequantize import Dequantize as Dequantize
from netsuke.ops.div import Div as Div
from netsuke.ops.exp import Exp as Exp
from netsuke.ops.expand import Expand as Expand
from netsuke.ops.fastfood import Fastfood as Fastfood
from netsuke.ops.forest import Forest as Forest
from netsuke.ops.gated_tree import GatedTree as GatedTree
from netsuke.ops.gather import Gather as Gather
from netsuke.ops.gelu import Gelu as Gelu
from netsuke.ops.gru import Gru as Gru
from netsuke.ops.hard_sigmoid import HardSigmoid as HardSigmoid
from netsuke.ops.hard_swish import HardSwish as HardSwish
from netsuke.ops.kernel_machine import KernelMachine as KernelMachine
from netsuke.ops.layer_norm import LayerNorm as LayerNorm
from netsuke.ops.leaky_relu import LeakyRelu as LeakyRelu
from netsuke.ops.linear_model import LinearModel as LinearModel
from netsuke.ops.log import Log as Log
from netsuke.ops.log_softmax import LogSoftmax as LogSoftmax
from netsuke.ops.lstm import Lstm as Lstm
from netsuke.ops.matmul import Matmul as Matmul
from netsuke.ops.max_pool2d import MaxPool2d as MaxPool2d
from netsuke.ops.maximum import Maximum as Maximum
from netsuke.ops.minimum import Minimum as Minimum
from netsuke.ops.mul import Mul as Mul
from netsuke.ops.nearest import Nearest as Nearest
from netsuke.ops.neg import Neg as Neg
from netsuke.ops.oblique_tree import ObliqueTree as ObliqueTree
from netsuke.ops.pad import Pad as Pad
from netsuke.ops.prelu import Prelu as Prelu
from netsuke.ops.projection import Projection as Projection
from netsuke.ops.prototypes import Prototypes as Prototypes
from netsuke.ops.quantize import Quantize as Quantize
from netsuke.ops.reduce_max import ReduceMax as ReduceMax
from netsuke.ops.reduce_mean import ReduceMean as ReduceMean
from netsuke.ops.reduce_sum import ReduceSum as ReduceSum
from netsuke.ops.requantize import Requantize as Requantize
from netsuke.ops.reshape import Reshape as Reshape
from netsuke.ops.resize import Resize as Resize
from netsuke.ops.rsqrt import Rsqrt as Rsqrt
from netsuke.ops.sigmoid import Sigmoid as Sigmoid
from netsuke.ops.slice import Slice as Slice
from netsuke.ops.softmax import Softmax as Softmax
from netsuke.ops.split import Split as Split
from netsuke.ops.sqrt import Sqrt as Sqrt
from netsuke.ops.square import Square as Square
from netsuke.ops.sub import Sub as Sub
from netsuke.ops.table import Table as Table
from netsuke.ops.tanh import Tanh as Tanh
from netsuke.ops.transpose import Transpose as Transpose
from netsuke.ops.transposed_conv2d import TransposedConv2d as TransposedConv2d

OPERATORS: tuple[type[Op], ...] = (
    Abs,
    Add,
    ArgMax,
    AveragePool2d,
    BatchNorm,
    ChannelShuffle,
    Clamp,
    Concat,
    Conv2d,
    Decide,
    Dense,
    DepthwiseConv2d,
    Dequantize,
    Div,
    Exp,
    Expand,
    Fastfood,
    Forest,
    GatedTree,
    Gather,
    Gelu,
    Gru,
    HardSigmoid,
    HardSwish,
    KernelMachine,
    LayerNorm,
    LeakyRelu,
    LinearModel,
    Log,
    LogSoftmax,
    Lstm,
    Matmul,
    MaxPool2d,
    Maximum,
    Minimum,
    Mul,
    Nearest,
    Neg,
    ObliqueTree,
    Pad,
    Prelu,
    Projection,
    Prototypes,
    Quantize,
    ReduceMax,
    ReduceMean,
    ReduceSum,
    Requantize,
    Reshape,
    Resize,
    Rsqrt,
    Sigmoid,
    Slice,
    Softmax,
    Split,
    Sqrt,
    Square,
    Sub,
    Table,
    Tanh,
    Transpose,
    TransposedConv2d,
)
