"""Test samples on which exactly one of the two networks is right, with their pictures."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

SIGNATURE = b"\x89PNG\r\n\x1a\n"
LARGEST = 1 << 16
"""Bytes of a picture."""
MOST_PICTURES, MOST_ROWS = 24, 200


@dataclass(frozen=True, slots=True)
class Flipped:
    """A sample: its class and what both networks said; `png` in base64 or empty."""

    index: int
    label: str
    before: str
    after: str
    lost: bool
    png: str = ""


def flipped(result: Mapping[str, Any], pictures: Mapping[str, Any] | None) -> list[Flipped]:
    """The flips of a ``result.json``, with what ``flips.json`` shows of them."""
    names = list(map(str, result.get("request", {}).get("data", {}).get("classes", ())))
    by_index = _pictures(pictures)
    found = []
    for flip in result["flips"][:MOST_ROWS]:
        label, before, after = (int(flip[name]) for name in ("label", "before", "after"))
        words = [_name(names, number) for number in (label, before, after)]
        index = int(flip["index"])
        png = by_index.get(index, "")
        found.append(Flipped(index, words[0], words[1], words[2], before == label, png))
    return found


def _name(names: Sequence[str], number: int) -> str:
    return names[number] if 0 <= number < len(names) else str(number)


def _pictures(record: Mapping[str, Any] | None) -> dict[int, str]:
    """Index -> base64, of what is a small PNG."""
    found = {}
    for entry in (record or {}).get("flips", ())[:MOST_PICTURES]:
        text = str(entry["png"])
        if len(text) <= LARGEST and _is_png(text):
            found[int(entry["index"])] = text
    return found


def _is_png(text: str) -> bool:
    try:
        return base64.b64decode(text, validate=True).startswith(SIGNATURE)
    except (binascii.Error, ValueError):
        return False
