"""Real data sets, where they are present."""

from __future__ import annotations

from pathlib import Path

import numpy as np


def test_mnist(real_data: Path) -> None:
    from netsuke.data import load_data

    data = load_data(f"{real_data}/mnist?limit=2000")
    assert data.shape == (28, 28, 1) and len(data.classes) == 10
    assert [len(part) for part in data.parts.values()] == [1800, 200, 2000]
    assert np.bincount(data.test.labels).min() > 150


def test_cifar_sheets(real_data: Path) -> None:
    from netsuke.data import load_data

    data = load_data(f"{real_data}/cifar10")
    assert data.shape == (32, 32, 3) and data.classes[0] == "airplane"
    assert sum(len(part) for part in data.parts.values()) == 3000
    assert data.fingerprint() == load_data(f"{real_data}/cifar10").fingerprint()


def test_cifar_zip_of_class_folders(real_data: Path) -> None:
    from netsuke.data import load_data

    data = load_data(f"{real_data}/cifar10/train_jpeg.zip?limit=300")
    assert data.shape == (32, 32, 3) and data.classes[-1] == "truck"
    labels = np.concatenate([part.labels for part in data.parts.values()])
    assert np.bincount(labels).tolist() == [30] * 10


def test_spoken_digits_by_speaker(real_data: Path) -> None:
    from netsuke.data import load_data

    data = load_data(f"{real_data}/fsdd/recordings.zip?limit=200&group=1")
    assert data.shape == (49, 10, 1) and len(data.classes) == 10


def test_usps_table(real_data: Path) -> None:
    from netsuke.data import load_data

    data = load_data(f"{real_data}/usps/zip.train.gz?label=0&shape=16x16x1&limit=500")
    assert data.shape == (16, 16, 1) and data.classes == tuple("0123456789")
