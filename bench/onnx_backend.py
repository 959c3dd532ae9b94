"""ONNX's own backend suite through netsuke: passed / applicable, in NumPy and in compiled C.

Run it with ``python bench/onnx_backend.py``. Which tests are applicable is a rule that stands in
``tests/frontend/onnx_cases.py``. Exits with 1 when one of them does not pass.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

TESTS = Path(__file__).resolve().parents[1] / "tests"
sys.path[:0] = [str(TESTS), str(TESTS / "frontend")]


def main() -> int:
    """Print the counts and what did not pass."""
    from onnx import __version__
    from onnx_cases import is_applicable, load_cases, run_in_c, run_in_numpy

    cases = load_cases()
    applicable = [case for case in cases if is_applicable(case)]
    print(f"onnx {__version__}: {len(cases)} node tests, {len(applicable)} applicable")
    failed = False
    for way in ("NumPy", "compiled C"):
        start = time.perf_counter()
        if way == "NumPy":
            results = {case.name: run_in_numpy(case) for case in applicable}
            wrong = {name: why for name, why in results.items() if why}
        else:
            wrong = run_in_c(applicable)
        seconds = time.perf_counter() - start
        passed = len(applicable) - len(wrong)
        print(f"{way}: passed {passed} / {len(applicable)} in {seconds:.1f} s")
        for name, why in wrong.items():
            print(f"  {name}: {why}")
        failed = failed or bool(wrong)
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
