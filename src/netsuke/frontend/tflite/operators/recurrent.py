"""Recurrent layers."""

from __future__ import annotations

import numpy as np

from netsuke.frontend.tflite.call import Call
from netsuke.frontend.tflite.flatbuffer import layout
from netsuke.frontend.tflite.operators.weights import layer_weights
from netsuke.frontend.tflite.registry import converts
from netsuke.frontend.tflite.scope import Unsupported
from netsuke.ir import Array
from netsuke.ops import Lstm

UNIDIRECTIONAL_SEQUENCE_LSTM = layout(
    "UnidirectionalSequenceLSTMOptions",
    "fused_activation_function: byte; cell_clip: float; proj_clip: float; time_major: bool;"
    "asymmetric_quantize_inputs: bool; diagonal_recurrent_tensors: bool",
    union=71,
)
TANH = 4
INPUT_WEIGHTS, RECURRENT_WEIGHTS, BIASES = (1, 2, 3, 4), (5, 6, 7, 8), (12, 13, 14, 15)
_LEFT_OUT = {
    "peephole weights": (9, 10, 11),
    "a projection": (16, 17),
    "layer normalization": (20, 21, 22, 23),
}


@converts("UNIDIRECTIONAL_SEQUENCE_LSTM")
def unidirectional_sequence_lstm(call: Call) -> None:
    """The file's gates are i, f, g, o, as ours; every sample starts from a state of zeros."""
    options = call.options(UNIDIRECTIONAL_SEQUENCE_LSTM)
    _refuse_variants(call)
    if options.integer("fused_activation_function") != TANH or options.real("cell_clip"):
        raise Unsupported("has another activation than TANH, or clips its cell")
    value = call.value(0)
    batch = 1 if options.flag("time_major") else 0
    if len(value.shape) != 3 or value.shape[batch] != call.scope.batch:
        raise Unsupported(f"reads {list(value.shape)}, not (batch, steps, features)")
    x = call.scope.view(value, batch)
    weights = _stack(call, x, INPUT_WEIGHTS)
    recurrent = _stack(call, x, RECURRENT_WEIGHTS)
    bias = np.concatenate([call.array(number).reshape(-1) for number in BIASES])
    hidden = recurrent.shape[1]
    if recurrent.shape[0] != 4 * hidden or bias.shape != (4 * hidden,):
        call.fail(f"has recurrent weights {list(recurrent.shape)} and {bias.size} biases")
    inputs = [
        x,
        call.constant(f"{call.name}/weights", weights),
        call.constant(f"{call.name}/recurrent", recurrent),
        call.constant(f"{call.name}/bias", bias),
        call.zeros("h0", hidden, "float32"),
        call.zeros("c0", hidden, "float32"),
    ]
    call.emit(Lstm(), inputs, batch, extra=2)


def _refuse_variants(call: Call) -> None:
    if call.scope.activation_type(call.tensor(0))[0] != "float32":
        raise Unsupported("computes on integers; its float form is supported")
    if not call.has(1):
        raise Unsupported("couples its input gate to its forget gate")
    for what, numbers in _LEFT_OUT.items():
        if any(call.has(number) for number in numbers):
            raise Unsupported(f"has {what}")


def _stack(call: Call, x: str, numbers: tuple[int, ...]) -> Array:
    arrays = [layer_weights(call, number, x, rank=2, channel_axis=0)[0] for number in numbers]
    if len({array.shape for array in arrays}) != 1:
        call.fail("has gates of different shapes")
    return np.concatenate(arrays)
