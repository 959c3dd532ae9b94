"""The C of the one integer arithmetic equals its Python, also without a long multiplier."""

from __future__ import annotations

import ctypes
import subprocess
from pathlib import Path

import numpy as np
import pytest
from kernel_library import FLAGS

from netsuke.codegen.sources import PACKAGE
from netsuke.ir import Array
from netsuke.ops.fixed_point import INT32_MAX, high, requantize
from netsuke.verify.toolchain import host_compiler

SOURCE = """#include "nsk_fixed.h"
void each(const int32_t *x, const int32_t *m, const int32_t *s, int32_t n, int32_t *h, int32_t *r);
void each(const int32_t *x, const int32_t *m, const int32_t *s, int32_t n, int32_t *h, int32_t *r)
{
    for (int32_t i = 0; i < n; i++) {
        h[i] = nsk_high(x[i], m[i]);
        r[i] = nsk_requantize(x[i], m[i], s[i]);
    }
}
"""
EDGES = [0, 1, -1, 0x7FFF, 0x8000, -0x8000, 0xFFFF, 0x10000, 1 << 30, INT32_MAX, -INT32_MAX - 1]


def numbers() -> tuple[Array, Array, Array]:
    """Accumulators, multipliers and shifts: all pairs of edges, then random ones."""
    rng = np.random.default_rng(3)
    factors = [edge for edge in EDGES if edge >= 0]
    grid = np.array(np.meshgrid(EDGES, factors, [0, -1, -5, -31, 3])).reshape(3, -1)
    count = 200_000
    x = rng.integers(-INT32_MAX - 1, INT32_MAX, count, endpoint=True) >> rng.integers(0, 31, count)
    m = rng.integers(1 << 30, INT32_MAX, count, endpoint=True)
    shift = rng.integers(-31, 8, count)
    return tuple(  # type: ignore[return-value]
        np.concatenate([part, values]).astype(np.int32)
        for part, values in zip(grid, (x, m, shift), strict=True)
    )


@pytest.mark.parametrize("flags", [[], ["-DNSK_SHORT_MULTIPLY=1"]], ids=["long", "short"])
def test_c_equals_python(tmp_path: Path, flags: list[str]) -> None:
    source, library = tmp_path / "each.c", tmp_path / "each.so"
    source.write_text(SOURCE)
    include = ["-I", str(PACKAGE / "runtime")]
    command = [*host_compiler().command, *FLAGS, *flags, *include, str(source)]
    subprocess.run([*command, "-o", str(library)], check=True)
    arrays = numbers()
    results = [np.zeros(arrays[0].size, np.int32) for _ in range(2)]
    pointers = [ctypes.c_void_p(array.ctypes.data) for array in (*arrays, *results)]
    each = ctypes.CDLL(str(library)).each
    each(*pointers[:3], ctypes.c_int32(arrays[0].size), *pointers[3:])
    x, m, shift = arrays
    np.testing.assert_array_equal(results[0], high(x, m))
    np.testing.assert_array_equal(results[1], requantize(x, m, shift))
