"""Images: (n, c, w) and (n, c, h, w) in the file, (h, w, c) in our graphs."""

from __future__ import annotations

from netsuke.frontend.nchw.session import Session
from netsuke.frontend.nchw.value import CannotImportError, Value


def to_image(session: Session, x: Value) -> Value:
    """A value (n, c, w) or (n, c, h, w) as (n, h, w, c); sequences get h = 1."""
    if x.rank not in (3, 4):
        raise CannotImportError(f"takes 1-d and 2-d images, not {list(x.shape)}")
    x = session.hide(x)
    if x.rank == 4:
        return session.transpose(x, (0, 2, 3, 1))
    x = session.transpose(x, (0, 2, 1))
    return session.reshape(x, (x.shape[0], 1, *x.shape[1:]), 0)


def from_image(session: Session, y: Value, rank: int) -> Value:
    """The reverse of `to_image` for a value of so many axes."""
    if rank == 4:
        return session.transpose(y, (0, 3, 1, 2))
    y = session.reshape(y, (y.shape[0], *y.shape[2:]), 0)
    return session.transpose(y, (0, 2, 1))


def as_planes(values: tuple[int, ...], sequence: int) -> tuple[int, int]:
    """A stride, kernel or dilation of one or two axes as (vertical, horizontal)."""
    if len(values) == 1:
        return sequence, values[0]
    if len(values) != 2:
        raise CannotImportError(f"has {len(values)} spatial axes; 1 and 2 are supported")
    return values[0], values[1]
