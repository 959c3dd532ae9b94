"""Damaged data give one clear error, never a crash: a thousand small mutations."""

from __future__ import annotations

import contextlib
import io
import random
import tarfile
import zipfile
from pathlib import Path

import numpy as np
import test_files as files

from netsuke.data import load_data
from netsuke.errors import NetsukeError


def originals(folder: Path) -> list[Path]:
    rng = np.random.default_rng(0)
    labels = np.arange(20) % 2
    np.savez(folder / "a.npz", x=rng.normal(size=(20, 3)), y=labels)
    np.savez_compressed(folder / "b.npz", x_train=rng.integers(0, 9, (20, 3)), y_train=labels)
    with zipfile.ZipFile(folder / "images.zip", "w") as archive:
        for i in range(6):
            image = files.png(rng.integers(0, 256, (5, 5, 3)).astype(np.uint8))
            archive.writestr(f"{'ab'[i % 2]}/{i}.png", image)
    with zipfile.ZipFile(folder / "sounds.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        for i in range(6):
            archive.writestr(f"{'ab'[i % 2]}_{i}.wav", files.wav(rng.uniform(-1, 1, 500)))
    for python in (True, False):
        _, _, raw = files.cifar(4, python)
        with tarfile.open(folder / f"cifar{python}.tar", "w") as archive:
            info = tarfile.TarInfo("data_batch_1" if python else "data_batch_1.bin")
            info.size = len(raw)
            archive.addfile(info, io.BytesIO(raw))
    (folder / "table.csv").write_text("\n".join(f"{i},{i * 2.5},{'ab'[i % 2]}" for i in range(9)))
    return sorted(folder.iterdir())


def mutated(raw: bytes, rng: random.Random) -> bytes:
    if rng.random() < 0.2:
        return raw[: rng.randrange(len(raw))]
    changed = bytearray(raw)
    for _ in range(rng.choice((1, 2, 10))):
        changed[rng.randrange(len(changed))] = rng.randrange(256)
    return bytes(changed)


def test_mutated_files_load_or_say_why_not(tmp_path: Path) -> None:
    rng = random.Random(0)
    seeds = [(path.name, path.read_bytes()) for path in originals(tmp_path)]
    refused = 0
    for number in range(1000):
        name, raw = seeds[number % len(seeds)]
        path = tmp_path / f"{number}-{name}"
        path.write_bytes(mutated(raw, rng))
        refused += 1
        with contextlib.suppress(NetsukeError):
            load_data(f"{path}?seconds=0.05" if "sounds" in name else path)
            refused -= 1
        path.unlink()
    assert 100 < refused < 1000
