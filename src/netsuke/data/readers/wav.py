"""RIFF ``.wav`` files: PCM of 8, 16, 24 or 32 bits, and reals, also as WAVE_FORMAT_EXTENSIBLE."""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator

import numpy as np

from netsuke.errors import DataError
from netsuke.ir import Array

PCM, REAL, EXTENSIBLE = 1, 3, 0xFFFE
FASTEST = 1_000_000  # samples a second
UNKNOWN = 0xFFFFFFFF  # size of what was written to a pipe


def read_wav(raw: bytes, place: str) -> tuple[Array, int]:
    """Return float32 samples (-1 … 1, channels averaged) and the rate of a ``.wav``.

    Raises
    ------
    DataError
        When it is truncated, empty, or neither PCM nor reals.
    """
    chunks = dict(_chunks(raw, place))
    head = chunks.get(b"fmt ", b"")
    if raw[:4] != b"RIFF" or raw[8:12] != b"WAVE" or len(head) < 16 or b"data" not in chunks:
        raise DataError(place, "is no PCM recording that can be read: it lacks RIFF, WAVE or fmt")
    kind, channels, rate, _, _, bits = struct.unpack("<HHIIHH", head[:16])
    if kind == EXTENSIBLE and len(head) >= 26:
        (kind,) = struct.unpack("<H", head[24:26])
    if (kind, bits) not in _DECODERS:
        raise DataError(place, f"is no PCM recording that can be read: format {kind}, {bits} bits")
    data, frame = chunks[b"data"], channels * bits // 8
    if not data or not 0 < rate <= FASTEST or channels < 1 or len(data) % frame:
        raise DataError(place, f"is empty or cut off: {len(data)} B at {rate} Hz")
    values = _DECODERS[kind, bits](data)
    if not np.isfinite(values).all():
        raise DataError(place, "holds a value that is not finite")
    return values.reshape(-1, channels).mean(axis=1), rate


def _chunks(raw: bytes, place: str) -> Iterator[tuple[bytes, bytes]]:
    """Names and contents, the first of a name last."""
    found: list[tuple[bytes, bytes]] = []
    start = 12
    while start + 8 <= len(raw) and len(found) < 1000:
        name, size = raw[start : start + 4], int.from_bytes(raw[start + 4 : start + 8], "little")
        content = raw[start + 8 : start + 8 + size]
        if name == b"data" and len(content) < size != UNKNOWN:
            raise DataError(place, f"is cut off: it holds {len(content):,} of {size:,} B")
        found.append((name, content))
        start += 8 + size + size % 2
    return reversed(found)


def _whole(data: bytes, bits: int) -> Array:
    return np.frombuffer(data, f"<i{bits // 8}").astype(np.float32) / np.float32(1 << (bits - 1))


def _three_bytes(data: bytes) -> Array:
    wide = np.zeros((len(data) // 3, 4), np.uint8)
    wide[:, 1:] = np.frombuffer(data, np.uint8).reshape(-1, 3)
    return _whole(wide.tobytes(), 32)


_DECODERS: dict[tuple[int, int], Callable[[bytes], Array]] = {
    (PCM, 8): lambda data: np.frombuffer(data, np.uint8).astype(np.float32) / 128.0 - 1.0,
    (PCM, 16): lambda data: _whole(data, 16),
    (PCM, 24): _three_bytes,
    (PCM, 32): lambda data: _whole(data, 32),
    (REAL, 32): lambda data: np.frombuffer(data, "<f4").astype(np.float32),
    (REAL, 64): lambda data: np.frombuffer(data, "<f8").astype(np.float32),
}
