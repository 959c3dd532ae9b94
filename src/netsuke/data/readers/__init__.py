"""The ways data lie on a disk: one file each, tried in this order."""

from __future__ import annotations

from netsuke.data.readers.cifar import CIFAR
from netsuke.data.readers.digits import DIGITS
from netsuke.data.readers.idx import IDX
from netsuke.data.readers.images import IMAGES
from netsuke.data.readers.npz import NPZ
from netsuke.data.readers.recordings import RECORDINGS
from netsuke.data.readers.sheets import SHEETS
from netsuke.data.readers.table import TABLE
from netsuke.data.source import Reader

READERS: tuple[Reader, ...] = (DIGITS, NPZ, TABLE, IDX, CIFAR, SHEETS, RECORDINGS, IMAGES)
