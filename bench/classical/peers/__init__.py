"""The peers: each module turns a fitted estimator into a `Firmware`, or says why it cannot."""

from __future__ import annotations


class Refused(Exception):
    """A peer cannot convert this model; the text says why."""
