"""Data on the disk: what is read, and what is refused."""

from __future__ import annotations

import gzip
import io
import pickle
import struct
import tarfile
import wave
import zipfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from netsuke.data import load_data
from netsuke.data.readers.wav import read_wav
from netsuke.errors import DataError
from netsuke.ir import Array

RNG = np.random.default_rng(0)


def idx(array: Array) -> bytes:
    head = bytes([0, 0, 8, array.ndim]) + struct.pack(f">{array.ndim}I", *array.shape)
    return head + array.astype(np.uint8).tobytes()


def write_idx(folder: Path, images: Array, labels: Array, stem: str = "train") -> None:
    (folder / f"{stem}-images-idx3-ubyte.gz").write_bytes(gzip.compress(idx(images)))
    (folder / f"{stem}-labels-idx1-ubyte").write_bytes(idx(labels))


def png(pixels: Array) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "png")
    return buffer.getvalue()


def wav(samples: Array, rate: int = 8000) -> bytes:
    buffer = io.BytesIO()
    with wave.open(buffer, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes((samples * 32767).astype("<i2").tobytes())
    return buffer.getvalue()


def test_idx_files_are_read_and_their_test_part_stays_apart(tmp_path: Path) -> None:
    images = RNG.integers(0, 256, (40, 5, 4))
    write_idx(tmp_path, images[:30], np.arange(30) % 3)
    write_idx(tmp_path, images[30:], np.arange(10) % 3, "t10k")
    data = load_data(tmp_path)
    assert data.shape == (5, 4, 1) and [len(p) for p in data.parts.values()] == [27, 3, 10]
    kept = np.sort(data.test.samples[..., 0].sum(axis=(1, 2)) * 255)
    assert np.allclose(kept, np.sort(images[30:].sum(axis=(1, 2))), atol=0.01)


@pytest.mark.parametrize("damage", ["short", "long", "magic", "huge", "gzip"])
def test_damaged_idx_files_are_named(tmp_path: Path, damage: str) -> None:
    write_idx(tmp_path, np.zeros((6, 3, 3)), np.arange(6) % 2)
    path = tmp_path / "train-images-idx3-ubyte.gz"
    raw = idx(np.zeros((6, 3, 3)))
    raw = {
        "short": raw[:-1],
        "long": raw + b"x",
        "magic": b"PK" + raw[2:],
        "huge": raw[:4] + struct.pack(">3I", 2**31, 2**31, 2**31) + raw[16:],
        "gzip": raw,
    }[damage]
    path.write_bytes(raw if damage == "gzip" else gzip.compress(raw))
    with pytest.raises(DataError, match="images-idx3-ubyte"):
        load_data(tmp_path)


def test_labels_must_match_images(tmp_path: Path) -> None:
    write_idx(tmp_path, np.zeros((6, 3, 3)), np.arange(5) % 2)
    with pytest.raises(DataError, match=r"\[6, 3, 3\] and labels \[5\]"):
        load_data(tmp_path)


def test_npz_with_given_parts(tmp_path: Path) -> None:
    x, y = RNG.normal(size=(20, 4)), np.repeat(["cat", "dog"], 10)
    np.savez(tmp_path / "d.npz", x_train=x, y_train=y, x_test=x[::2], y_test=y[::2])
    data = load_data(tmp_path / "d.npz")
    assert data.classes == ("cat", "dog") and len(data.test) == 10 and len(data.train) == 18
    assert data.normalisation.name == "raw"


def test_npz_in_channels_first_order(tmp_path: Path) -> None:
    x = RNG.integers(0, 256, (8, 3, 5, 4)).astype(np.uint8)
    np.savez(tmp_path / "d.npz", x=x, y=np.arange(8) % 2)
    assert load_data(f"{tmp_path}/d.npz?layout=nchw").shape == (5, 4, 3)


def test_npz_with_real_targets_is_a_regression(tmp_path: Path) -> None:
    np.savez(tmp_path / "d.npz", x=RNG.normal(size=(30, 3)), y=RNG.normal(size=30))
    data = load_data(tmp_path / "d.npz")
    assert data.task == "regression" and data.train.labels.dtype == np.float32


def test_npz_without_labels_is_unlabelled(tmp_path: Path) -> None:
    np.savez(tmp_path / "d.npz", x=RNG.normal(size=(30, 3)))
    data = load_data(tmp_path / "d.npz")
    assert data.task == "unlabelled"
    with pytest.raises(DataError, match="no labels"):
        _ = data.train.labels


@pytest.mark.parametrize(
    ("arrays", "words"),
    [
        ({"x": np.zeros((4, 2)), "y": np.arange(3)}, "3 labels for 4 samples"),
        ({"images": np.zeros((4, 2))}, "wanted are x and y"),
        ({"x": np.full((4, 2), np.nan), "y": np.arange(4) % 2}, "sample 0 holds a value"),
        ({"x": np.zeros((4, 2)), "y": np.zeros(4, int)}, "at least two"),
        ({"x": np.zeros((0, 2)), "y": np.zeros(0, int)}, "at least two"),
        ({"x": np.array(["a", "b"])[:, None], "y": np.arange(2)}, "no numbers"),
        ({"x": np.array([{}, {}])[:, None], "y": np.arange(2)}, "cannot be read as arrays"),
    ],
)
def test_unusable_npz_files_say_why(tmp_path: Path, arrays: dict[str, Array], words: str) -> None:
    np.savez(tmp_path / "d.npz", **arrays)  # type: ignore[arg-type]
    with pytest.raises(DataError, match=words):
        load_data(tmp_path / "d.npz")


def test_an_npz_that_promises_more_than_it_holds_is_refused(tmp_path: Path) -> None:
    buffer = io.BytesIO()
    np.lib.format.write_array_header_1_0(
        buffer, {"descr": "<f8", "fortran_order": False, "shape": (1 << 40,)}
    )
    with zipfile.ZipFile(tmp_path / "d.npz", "w") as archive:
        archive.writestr("x.npy", buffer.getvalue())
    with pytest.raises(DataError, match="cannot be read"):
        load_data(tmp_path / "d.npz")


def write_images(folder: Path, count: int = 6, size: tuple[int, int] = (7, 5)) -> None:
    for label in ("good", "scratch"):
        (folder / label).mkdir(parents=True)
        for number in range(count):
            shade = np.full((*size, 3), 40 * (label == "good") + number, np.uint8)
            (folder / label / f"{number}.png").write_bytes(png(shade))


def test_class_folders_of_images(tmp_path: Path) -> None:
    write_images(tmp_path)
    data = load_data(tmp_path)
    assert data.shape == (7, 5, 3) and data.classes == ("good", "scratch")
    bright = data.train.samples.mean(axis=(1, 2, 3)) > 30 / 255
    assert np.array_equal(bright, data.train.labels == 0)


def test_images_of_sixteen_bits_keep_their_shades(tmp_path: Path) -> None:
    for label, shade in (("dark", 512), ("bright", 40000)):
        (tmp_path / label).mkdir()
        for number in range(5):
            pixels = np.full((4, 4), shade + 256 * number, np.uint16)
            (tmp_path / label / f"{number}.png").write_bytes(png(pixels))
    data = load_data(f"{tmp_path}?normalise=raw")
    found = {
        int(v) for part in data.parts.values() for v in part.samples.reshape(len(part), -1)[:, 0]
    }
    assert data.shape == (4, 4, 1)
    assert found == {2, 3, 4, 5, 6, *(range(156, 161))}


def test_an_image_of_reals_is_refused(tmp_path: Path) -> None:
    write_images(tmp_path)
    buffer = io.BytesIO()
    Image.fromarray(np.zeros((7, 5), np.float32)).save(buffer, "tiff")
    (tmp_path / "good" / "0.png").write_bytes(buffer.getvalue())
    with pytest.raises(DataError, match="real numbers"):
        load_data(tmp_path)


def test_images_are_brought_to_one_size_and_to_grey(tmp_path: Path) -> None:
    write_images(tmp_path)
    (tmp_path / "good" / "wide.png").write_bytes(png(np.zeros((7, 9, 3), np.uint8)))
    with pytest.raises(DataError, match=r"say \?size=5"):
        load_data(tmp_path)
    assert load_data(f"{tmp_path}?size=4x6&channels=1").shape == (4, 6, 1)


def test_given_train_and_test_folders(tmp_path: Path) -> None:
    write_images(tmp_path / "train", 10)
    write_images(tmp_path / "test", 3)
    data = load_data(tmp_path)
    assert len(data.test) == 6 and len(data.train) + len(data.validation) == 20


def test_a_zip_of_class_folders_is_read_in_place(tmp_path: Path) -> None:
    write_images(tmp_path / "parts" / "all")
    path = tmp_path / "d.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for file in (tmp_path / "parts").rglob("*.png"):
            archive.write(file, file.relative_to(tmp_path / "parts"))
        archive.writestr("__MACOSX/all/good/._0.png", b"no image")
    data = load_data(path)
    assert data.classes == ("good", "scratch") and data.shape == (7, 5, 3)
    assert sum(len(part) for part in data.parts.values()) == 12


def test_a_broken_image_is_named(tmp_path: Path) -> None:
    write_images(tmp_path)
    (tmp_path / "good" / "3.png").write_bytes(png(np.zeros((7, 5, 3), np.uint8))[:40])
    with pytest.raises(DataError, match=r"good/3\.png: is no image"):
        load_data(tmp_path)


def test_a_broken_zip_is_named(tmp_path: Path) -> None:
    (tmp_path / "d.zip").write_bytes(b"PK\3\4 nothing")
    with pytest.raises(DataError, match=r"d\.zip"):
        load_data(tmp_path / "d.zip")


def test_an_empty_folder_lists_what_is_known(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="holds nothing that is known"):
        load_data(tmp_path)


def test_sheets_of_images_with_labels(tmp_path: Path) -> None:
    pixels = RNG.integers(0, 256, (20, 16, 3)).astype(np.uint8)
    (tmp_path / "some_0.png").write_bytes(png(pixels[:12]))
    (tmp_path / "some_1.png").write_bytes(png(pixels[12:]))
    (tmp_path / "some_labels.txt").write_text("\n".join(str(i % 2) for i in range(20)))
    data = load_data(tmp_path)
    assert data.shape == (4, 4, 3)
    first = data.train.indices[0]
    assert np.allclose(data.train.samples[0] * 255, pixels[first].reshape(4, 4, 3))
    assert data.train.labels[0] == first % 2


def cifar(count: int, python: bool) -> tuple[Array, Array, bytes]:
    pixels = RNG.integers(0, 256, (count, 3072)).astype(np.uint8)
    labels = np.arange(count) % 10
    if python:
        table = {b"data": pixels, b"labels": labels.tolist()}
        return pixels, labels, pickle.dumps(table, protocol=2)
    rows = np.concatenate([labels[:, None].astype(np.uint8), pixels], axis=1)
    return pixels, labels, rows.tobytes()


@pytest.mark.parametrize("python", [True, False])
def test_cifar_as_it_comes(tmp_path: Path, python: bool) -> None:
    suffix = "" if python else ".bin"
    path = tmp_path / "cifar.tar.gz"
    pixels, _, train = cifar(40, python)
    _, _, test = cifar(10, python)
    meta = (
        pickle.dumps({b"label_names": [b"c%d" % i for i in range(10)]}, protocol=2)
        if python
        else b"\n".join(b"c%d" % i for i in range(10))
    )
    with tarfile.open(path, "w:gz") as archive:
        for name, raw in {
            f"data_batch_1{suffix}": train,
            f"test_batch{suffix}": test,
            "batches.meta" if python else "batches.meta.txt": meta,
        }.items():
            info = tarfile.TarInfo(f"cifar-10/{name}")
            info.size = len(raw)
            archive.addfile(info, io.BytesIO(raw))
    data = load_data(path)
    assert data.shape == (32, 32, 3) and len(data.test) == 10 and data.classes[3] == "c3"
    first = data.train.indices[0]
    planes = pixels[first].reshape(3, 32, 32)
    assert np.allclose(data.train.samples[0] * 255, planes.transpose(1, 2, 0))


class Hostile:
    def __reduce__(self) -> tuple[object, tuple[str]]:
        return eval, ("__import__('os').mkdir('hostile')",)


def test_a_hostile_batch_runs_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    raw = pickle.dumps({b"data": Hostile(), b"pad": b"x" * 4000}, protocol=2)
    (tmp_path / "data_batch_1").write_bytes(raw)
    with pytest.raises(DataError, match="asks for"):
        load_data(tmp_path)
    assert not (tmp_path / "hostile").exists()


def test_recordings_become_features(tmp_path: Path) -> None:
    time = np.arange(8000) / 8000
    with zipfile.ZipFile(tmp_path / "d.zip", "w") as archive:
        for number in range(10):
            for label, tone in (("low", 300), ("high", 1500)):
                sound = 0.5 * np.sin(2 * np.pi * tone * time[: 5000 + 300 * number])
                archive.writestr(f"talk/{label}_s{number % 5}_{number}.wav", wav(sound))
    data = load_data(f"{tmp_path}/d.zip?features=logmel&bands=20&normalise=raw")
    assert data.shape == (49, 20, 1) and data.classes == ("high", "low")
    loudest = data.train.samples[:, 5, :, 0].argmax(axis=1)
    assert loudest[data.train.labels == 0].min() > loudest[data.train.labels == 1].max()
    assert data.features["rate"] == 8000 and data.features["bands"] == 20
    grouped = load_data(f"{tmp_path}/d.zip?group=1")
    assert grouped.shape == (49, 10, 1)
    assert abs(grouped.train.samples.mean(axis=(0, 1, 3))).max() < 1e-3


def test_a_group_never_goes_to_two_parts(tmp_path: Path) -> None:
    for number in range(30):
        raw = wav(RNG.uniform(-1, 1, 900))
        (tmp_path / f"{'ab'[number % 2]}_speaker{number % 6}_{number}.wav").write_bytes(raw)
    data = load_data(f"{tmp_path}?group=1&seconds=0.1")
    names = sorted(path.stem for path in tmp_path.glob("*.wav"))
    parts = [{names[i].split("_")[1] for i in part.indices} for part in data.parts.values()]
    assert all(parts) and sum(map(len, parts)) == 6


@pytest.mark.parametrize(
    ("raw", "words"),
    [(b"RIFF", "no PCM"), (wav(np.zeros(0)), "empty"), (wav(np.zeros(99), 4000), "4000 Hz")],
)
def test_unusable_recordings_are_named(tmp_path: Path, raw: bytes, words: str) -> None:
    (tmp_path / "a_0.wav").write_bytes(wav(np.zeros(9000)))
    (tmp_path / "b_0.wav").write_bytes(raw)
    with pytest.raises(DataError, match=words):
        load_data(tmp_path)


def chunk(name: bytes, content: bytes) -> bytes:
    return name + struct.pack("<I", len(content)) + content + b"\0" * (len(content) % 2)


@pytest.mark.parametrize("extensible", [False, True])
@pytest.mark.parametrize(
    ("kind", "bits", "largest"), [(1, 8, 127), (1, 16, 32767), (1, 24, 8388607), (3, 32, 1.0)]
)
def test_recordings_are_read_in_all_usual_formats(
    kind: int, bits: int, largest: float, extensible: bool
) -> None:
    signal = np.linspace(-0.9, 0.9, 100)
    if kind == 3:
        data = signal.astype("<f4").tobytes()
    else:
        whole = np.rint(signal * largest).astype("<i4") + (128 if bits == 8 else 0)
        data = whole.view(np.uint8).reshape(-1, 4)[:, : bits // 8].tobytes()
    shown = 0xFFFE if extensible else kind
    head = struct.pack("<HHIIHH", shown, 2, 8000, 8000 * bits // 4, bits // 4, bits)
    if extensible:
        head += struct.pack("<HHIH", 22, bits, 3, kind) + bytes(14)
    file = chunk(b"LIST", b"odd") + chunk(b"fmt ", head) + chunk(b"data", data)
    values, rate = read_wav(b"RIFF" + struct.pack("<I", 4 + len(file)) + b"WAVE" + file, "a.wav")
    assert rate == 8000
    expected = signal.reshape(-1, 2).mean(axis=1)
    np.testing.assert_allclose(values, expected, atol=1.5 / 127 if bits == 8 else 1e-4)


def test_a_recording_that_is_cut_off_says_so() -> None:
    with pytest.raises(DataError, match="100 of 400 B"):
        read_wav(wav(np.zeros(200))[: 44 + 100], "a.wav")


def test_a_rate_beyond_reason_does_not_take_memory() -> None:
    head = struct.pack("<HHIIHH", 1, 1, 2_000_000_000, 0, 2, 16)
    file = b"RIFF\0\0\0\0WAVE" + chunk(b"fmt ", head) + chunk(b"data", bytes(200))
    with pytest.raises(DataError, match="2000000000 Hz"):
        read_wav(file, "a.wav")


def test_tables_with_a_header_and_names(tmp_path: Path) -> None:
    rows = [f"{i},{i % 7},{'yes' if i % 2 else 'no'}" for i in range(30)]
    (tmp_path / "d.csv").write_text("\n".join(["speed,noise,fault", *rows]))
    data = load_data(f"{tmp_path}/d.csv?label=fault")
    assert data.shape == (2,) and data.classes == ("no", "yes")
    assert abs(data.train.samples.mean()) < 1e-5


def test_tables_of_white_space_with_a_shape(tmp_path: Path) -> None:
    table = np.column_stack([np.arange(30) % 3, RNG.normal(size=(30, 6))])
    with gzip.open(tmp_path / "d.txt.gz", "wt") as file:
        np.savetxt(file, table)
    data = load_data(f"{tmp_path}/d.txt.gz?label=0&shape=2x3x1")
    assert data.shape == (2, 3, 1) and data.classes == ("0", "1", "2")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("1,2,0\n1,2\n", "row 2"),
        ("1,x,0\n2,y,1\n", "row 1, column 1: is 'x', which is no number"),
        ("a,b,y\n1,2,0\n3,,1\n", "row 3, column 'b': is empty, which is no number"),
        ("", "is empty"),
        ("1,nan,0\n2,1,1\n", "not finite"),
    ],
)
def test_unusable_tables_say_where(tmp_path: Path, text: str, words: str) -> None:
    (tmp_path / "d.csv").write_text(text)
    with pytest.raises(DataError, match=words):
        load_data(tmp_path / "d.csv")
