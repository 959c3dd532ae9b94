"""Damaged copies of model files, the same ones for the same seed."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence

from netsuke.errors import NetsukeError
from netsuke.frontend.tflite import flatbuffer, model, parse_tflite
from netsuke.ir import Array

INTERESTING = (0, 1, 2, 4, 255, 256, 65535, 1 << 16, (1 << 31) - 1, 1 << 31, (1 << 32) - 1)

Mutation = Callable[[random.Random, bytearray, Sequence[bytes], Sequence[int]], None]


def _place(rng: random.Random, data: bytearray, places: Sequence[int]) -> int:
    """A byte to damage: mostly one that describes the file, not one of its many weights."""
    if places and rng.random() < 0.95:
        return min(rng.choice(places), len(data) - 1)
    return rng.randrange(len(data))


def flip_bits(
    rng: random.Random, data: bytearray, files: Sequence[bytes], places: Sequence[int]
) -> None:
    for _ in range(rng.choice((1, 1, 2, 4, 8))):
        data[_place(rng, data, places)] ^= 1 << rng.randrange(8)


def truncate(
    rng: random.Random, data: bytearray, files: Sequence[bytes], places: Sequence[int]
) -> None:
    del data[rng.randrange(len(data)) :]


def splice(
    rng: random.Random, data: bytearray, files: Sequence[bytes], places: Sequence[int]
) -> None:
    """Copy a piece of any file over a place of this one."""
    other = rng.choice(files)
    length = min(rng.choice((4, 8, 16, 64, 256)), len(other), len(data))
    source = rng.randrange(len(other) - length + 1)
    target = min(_place(rng, data, places), len(data) - length)
    data[target : target + length] = other[source : source + length]


def overwrite(
    rng: random.Random, data: bytearray, files: Sequence[bytes], places: Sequence[int]
) -> None:
    """Write numbers of 16 or 32 bits that offsets, counts and extents stumble over."""
    for _ in range(rng.choice((1, 1, 2, 4))):
        width = rng.choice((1, 2, 4, 4))
        number = rng.choice((*INTERESTING, rng.getrandbits(32), len(data) - rng.randrange(64)))
        target = min(_place(rng, data, places), max(len(data) - width, 0))
        data[target : target + width] = (number % (1 << 8 * width)).to_bytes(width, "little")


def shift(
    rng: random.Random, data: bytearray, files: Sequence[bytes], places: Sequence[int]
) -> None:
    """Insert or drop a few bytes, so that everything behind moves."""
    target = _place(rng, data, places)
    if rng.random() < 0.5:
        data[target:target] = rng.randbytes(rng.randint(1, 8))
    else:
        del data[target : target + rng.randint(1, 8)]


MUTATIONS: tuple[Mutation, ...] = (
    *[flip_bits] * 6, *[overwrite] * 5, truncate, splice, shift
)  # fmt: skip


def mutant(
    seed: int, number: int, files: Sequence[bytes], places: Sequence[Sequence[int]]
) -> tuple[int, bytes]:
    """The number-th damaged copy: which file it was, and its bytes.

    Parameters
    ----------
    seed, number
        Fix the copy.
    files
        Originals.
    places
        For each file, positions of bytes that describe it.
    """
    rng = random.Random(f"{seed}/{number}")
    which = number % len(files)
    data = bytearray(files[which])
    for _ in range(rng.choice((1, 1, 1, 1, 2, 3))):
        rng.choice(MUTATIONS)(rng, data, files, places[which])
        if not data:
            break
    return which, bytes(data)


class _Recorder(flatbuffer.File):
    """Remembers which bytes were read as numbers, and which as references."""

    numbers: list[int]
    references: list[int]

    def scalar(self, kind: str, position: int, what: str) -> int | float:
        kept = self.numbers if "." in what and kind != "ushort" else self.references
        kept.append(position)
        return super().scalar(kind, position, what)

    def vector(self, position: int, kind: str, what: str) -> Array:
        array = super().vector(position, kind, what)
        start = self.follow(position, what) + 4
        kept = self.references if kind == "uint" else self.numbers
        kept.extend(range(start, start + min(array.nbytes, 64)))
        return array


def describing(data: bytes) -> list[int]:
    """Bytes of a TensorFlow Lite file that describe it; numbers weigh more than references."""
    recorder = _Recorder
    recorder.numbers, recorder.references = [], []
    original, model.File = model.File, recorder
    try:
        parse_tflite(data)
    except NetsukeError:
        pass
    finally:
        model.File = original
    numbers, references = sorted(set(recorder.numbers)), sorted(set(recorder.references))
    weight = -(-6 * len(references) // max(len(numbers), 1))
    return numbers * max(weight, 1) + references


def contradict(rng: random.Random, data: bytes) -> bytes:
    """A well-formed file whose parts no longer agree: numbers, tensors and types are changed."""
    from tflite_models import DTYPES, repack, schema

    changed = schema.ModelT.InitFromPackedBuf(data)
    graph = changed.subgraphs[0]
    for _ in range(rng.choice((1, 1, 2, 3))):
        tensor, operator = rng.choice(graph.tensors), rng.choice(graph.operators)
        match rng.randrange(8):
            case 0:
                shape = [rng.choice((0, 1, 2, 3, 5, 1 << 15, 1 << 30)) for _ in tensor.shape]
                tensor.shape = shape[: rng.randint(0, 5)]
            case 1:
                tensor.type = rng.choice(list(DTYPES.values()))
            case 2 if tensor.quantization is not None and tensor.quantization.scale is not None:
                scale = rng.choice((0.0, -1.0, 1e-40, 1e30, float("inf"), float("nan"), 0.5))
                tensor.quantization.scale = [scale] * len(tensor.quantization.scale)
            case 3:
                place = rng.randrange(len(operator.inputs))
                operator.inputs[place] = rng.randrange(-1, len(graph.tensors))
            case 4 if operator.builtinOptions is not None:
                field = rng.choice(list(vars(operator.builtinOptions)))
                if isinstance(getattr(operator.builtinOptions, field), int):
                    number = rng.choice((-1, 0, 1, 2, 3, 7, 100))
                    setattr(operator.builtinOptions, field, number)
            case 5:
                code = rng.choice(changed.operatorCodes)
                code.builtinCode = rng.randrange(160)
                code.deprecatedBuiltinCode = min(code.builtinCode, 127)
            case 6:
                buffer = changed.buffers[tensor.buffer]
                if buffer.data is not None and len(buffer.data) % 4 == 0 and len(buffer.data) < 99:
                    raw = bytearray(bytes(bytearray(buffer.data)))
                    number = rng.choice((-2, -1, 0, 1, 2, 4, 9, 1 << 20, (1 << 31) - 1))
                    raw[:4] = (number % (1 << 32)).to_bytes(4, "little")
                    buffer.data = list(raw)
            case _:
                if operator.inputs is not None:
                    operator.inputs = list(operator.inputs)[: rng.randint(0, len(operator.inputs))]
    return repack(changed)
