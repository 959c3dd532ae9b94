"""Single kernel calls as data: what goes in, and what must stand where afterwards.

A `Job` is one call of one kernel: its parameters, tables, tensors and scratch as blocks of bytes,
and what every block must hold afterwards. The machines of `kernel_machines.py` run jobs; `check`
compares.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from kernel_library import struct_fields

from netsuke.ir import Array, Kernel

NULL = (1 << 32) - 1
SIZES = {"int8_t": 1, "uint8_t": 1, "int16_t": 2, "uint16_t": 2, "int64_t": 8}


@dataclass
class Block:
    """Bytes that lie `behind` bytes behind an aligned address.

    `pointers` are (where in the block, to which block); `expected` is what it must hold after the
    call, None where anything may stand (scratch, an input that is written over).
    """

    data: bytes
    behind: int = 0
    pointers: list[tuple[int, int]] = field(default_factory=list)
    expected: bytes | None = None


@dataclass
class Job:
    """One call: which function, its blocks, and the blocks of its arguments (NULL: none)."""

    function: str
    source: str
    label: str
    blocks: list[Block]
    arguments: list[int]
    instructions: float


def make_job(
    kernel: Kernel,
    arrays: Sequence[Array],
    constants: Sequence[bool],
    expected: Sequence[Array],
    inplace: tuple[int, int] | None = None,
    *,
    pointer: int = 8,
    behind: int = 0,
    label: str = "",
) -> Job:
    """Describe one call of a kernel.

    Parameters
    ----------
    arrays, constants
        All inputs in graph order, and which of them are constants.
    expected
        What the outputs must be, bit for bit.
    inplace
        (input, output) that share their address.
    pointer
        Bytes of a pointer where the job will run.
    behind
        Bytes by which int8 tensors miss an aligned address, as views do.
    """
    job = Job(kernel.function, kernel.source, label, [], [], kernel.instructions)
    if kernel.struct is not None:
        job.arguments.append(_add_struct(job, kernel, pointer))
    rng = np.random.default_rng(len(label))
    places: dict[int, int] = {}
    for index, array in enumerate(arrays):
        data = kernel.constants.get(index, array) if constants[index] else array
        if data is None:
            continue
        raw = np.ascontiguousarray(data).tobytes()
        offset = behind if data.dtype == np.int8 and not constants[index] else 0
        block = Block(raw, offset, expected=raw)
        if inplace and inplace[0] == index:
            result = np.ascontiguousarray(expected[inplace[1]]).tobytes()
            block.data = raw + b"\xa7" * (len(result) - len(raw))
            block.expected = result if len(result) >= len(raw) else None
            places[inplace[1]] = len(job.blocks)
        job.arguments.append(len(job.blocks))
        job.blocks.append(block)
    for number, array in enumerate(expected):
        if number not in places:
            raw = np.ascontiguousarray(array).tobytes()
            garbage = rng.bytes(len(raw))
            places[number] = len(job.blocks)
            offset = (behind * 3) % 4 if array.dtype == np.int8 else 0
            job.blocks.append(Block(garbage, offset, expected=raw))
        job.arguments.append(places[number])
    if kernel.scratch is not None:
        job.arguments.append(len(job.blocks) if kernel.scratch else NULL)
        if kernel.scratch:
            job.blocks.append(Block(rng.bytes(kernel.scratch)))
    if inplace:
        array = np.ascontiguousarray(expected[inplace[1]])
        _only_output(job, places[inplace[1]], array.tobytes())
    return job


def _only_output(job: Job, place: int, result: bytes) -> None:
    """What remains of an input behind a smaller output may be anything."""
    block = job.blocks[place]
    if block.expected is None:
        block.expected = result


def _add_struct(job: Job, kernel: Kernel, pointer: int) -> int:
    """Add the parameters and their tables; returns the block of the parameters."""
    assert kernel.struct
    data, pointers, widest = bytearray(), [], 4
    fields = struct_fields(kernel.source, kernel.struct)
    unknown = set(kernel.parameters) - {name for name, _, _ in fields}
    assert not unknown, f"{kernel.struct} lacks {unknown}"
    for name, kind, is_pointer in fields:
        size = pointer if is_pointer else SIZES.get(kind, 4)
        widest = max(widest, size)
        data += bytes(-len(data) % size)
        value = kernel.parameters.get(name, 0)
        if is_pointer:
            if isinstance(value, np.ndarray):
                pointers.append((len(data), len(job.blocks)))
                raw = np.ascontiguousarray(value).tobytes() or bytes(8)
                job.blocks.append(Block(raw, expected=raw))
            data += bytes(size)
        elif kind == "float":
            limit = float(np.finfo(np.float32).max)
            data += struct.pack("<f", min(max(float(value), -limit), limit))
        else:
            data += int(value).to_bytes(size, "little", signed=kind.startswith("int"))
    data += bytes(-len(data) % widest)
    job.blocks.append(Block(bytes(data), 0, pointers))
    return len(job.blocks) - 1


def check(jobs: Sequence[Job], answers: Sequence[Sequence[bytes]]) -> None:
    """Raise AssertionError for the first block that holds other bytes than it must."""
    for job, blocks in zip(jobs, answers, strict=True):
        for number, (block, found) in enumerate(zip(job.blocks, blocks, strict=True)):
            wanted = block.expected
            if wanted is None or found[: len(wanted)] == wanted:
                continue
            a = np.frombuffer(found[: len(wanted)], np.uint8)
            b = np.frombuffer(wanted, np.uint8)
            wrong = np.flatnonzero(a != b)
            raise AssertionError(
                f"{job.function} ({job.label}): block {number} of {len(job.blocks)} differs at "
                f"{wrong.size} of {len(wanted)} bytes, first {wrong[0]}: "
                f"{a[wrong[0]]} instead of {b[wrong[0]]}"
            )
