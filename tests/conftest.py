"""What all tests share: the checkers beside this file, the examples, and where real data lives."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
sys.path.append(str(Path(__file__).parents[1] / "examples" / "inspection"))


@pytest.fixture(scope="session")
def real_data() -> Path:
    """The folder of real data and models: `NETSUKE_DATA`, or beside the checkout."""
    beside = Path(__file__).parents[2] / "shared" / "data"
    folder = Path(os.environ.get("NETSUKE_DATA") or beside)
    if not folder.is_dir():
        pytest.skip(f"left out: the real data and models (no folder {folder}; set NETSUKE_DATA)")
    return folder


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--update-golden", action="store_true", help="accept generated C as golden")
