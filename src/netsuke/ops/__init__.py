"""What each operator means: one folder an operator.

`OPERATORS` is the list; deleting a folder and its line deletes the operator.
"""

from __future__ import annotations

from netsuke.ir import Op
from netsuke.ops.abs import Abs as Abs
from netsuke.ops.add import Add as Add
from netsuke.ops.arg_max import ArgMax as ArgMax
from netsuke.ops.batch_norm import BatchNorm as BatchNorm
from netsuke.ops.clamp import Clamp as Clamp
from netsuke.ops.conv2d import Conv2d as Conv2d
from netsuke.ops.dense import Dense as Dense
from netsuke.ops.dequantize import Dequantize as Dequantize
from netsuke.ops.div import Div as Div
from netsuke.ops.exp import Exp as Exp
from netsuke.ops.gelu import Gelu as Gelu
from netsuke.ops.gru import Gru as Gru
from netsuke.ops.hard_sigmoid import HardSigmoid as HardSigmoid
from netsuke.ops.hard_swish import HardSwish as HardSwish
from netsuke.ops.layer_norm import LayerNorm as LayerNorm
from netsuke.ops.leaky_relu import LeakyRelu as LeakyRelu
from netsuke.ops.log import Log as Log
from netsuke.ops.log_softmax import LogSoftmax as LogSoftmax
from netsuke.ops.lstm import Lstm as Lstm
from netsuke.ops.matmul import Matmul as Matmul
from netsuke.ops.maximum import Maximum as Maximum
from netsuke.ops.minimum import Minimum as Minimum
from netsuke.ops.mul import Mul as Mul
from netsuke.ops.neg import Neg as Neg
from netsuke.ops.prelu import Prelu as Prelu
from netsuke.ops.quantize import Quantize as Quantize
from netsuke.ops.reduce_max import ReduceMax as ReduceMax
from netsuke.ops.reduce_mean import ReduceMean as ReduceMean
from netsuke.ops.reduce_sum import ReduceSum as ReduceSum
from netsuke.ops.requantize import Requantize as Requantize
from netsuke.ops.rsqrt import Rsqrt as Rsqrt
from netsuke.ops.sigmoid import Sigmoid as Sigmoid
from netsuke.ops.softmax import Softmax as Softmax
from netsuke.ops.sqrt import Sqrt as Sqrt
from netsuke.ops.square import Square as Square
from netsuke.ops.sub import Sub as Sub
from netsuke.ops.tanh import Tanh as Tanh

OPERATORS: tuple[type[Op], ...] = (
    Abs,
    Add,
    ArgMax,
    BatchNorm,
    Clamp,
    Conv2d,
    Dense,
    Dequantize,
    Div,
    Exp,
    Gelu,
    Gru,
    HardSigmoid,
    HardSwish,
    LayerNorm,
    LeakyRelu,
    Log,
    LogSoftmax,
    Lstm,
    Matmul,
    Maximum,
    Minimum,
    Mul,
    Neg,
    Prelu,
    Quantize,
    ReduceMax,
    ReduceMean,
    ReduceSum,
    Requantize,
    Rsqrt,
    Sigmoid,
    Softmax,
    Sqrt,
    Square,
    Sub,
    Tanh,
)
