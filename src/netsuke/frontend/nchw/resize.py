"""Resampling of images."""

from __future__ import annotations

from netsuke.frontend.nchw.images import from_image, to_image
from netsuke.frontend.nchw.session import Session
from netsuke.frontend.nchw.value import Value
from netsuke.ops import Resize


def resize(
    session: Session,
    x: Value,
    size: tuple[int, ...],
    mode: str,
    coordinates: str,
    rounding: str = "floor",
) -> Value:
    """x ``(n, c, [h,] w)`` resampled to another size; modes and coordinates as in ONNX."""
    image = to_image(session, x)
    planes = (1, size[0]) if len(size) == 1 else (size[0], size[1])
    if planes == image.shape[1:3]:
        return x
    y = session.emit(Resize(planes, mode, coordinates, rounding), image)
    return from_image(session, y, x.rank)
