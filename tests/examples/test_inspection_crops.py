"""Crops of the inspection example: what they hold, what they must not, and where they go."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from pathlib import Path

import boards
import camera
import crops
import numpy as np
import pytest
import synthetic
from hypothesis import given, settings
from hypothesis import strategies as st

from netsuke.data import load_data
from netsuke.errors import DataError, UsageError

SCRIPTS = Path(crops.__file__).parent


@pytest.fixture(scope="module")
def drawn() -> list[boards.Board]:
    return synthetic.draw_boards(groups=3, boards=2, defects=4)


def test_crops_of_drawn_boards_make_three_parts_of_different_groups(
    tmp_path: Path, drawn: list[boards.Board], capsys: pytest.CaptureFixture[str]
) -> None:
    synthetic.write_boards(drawn, tmp_path / "boards.zip")
    out = tmp_path / "crops.npz"
    command = [str(tmp_path / "boards.zip"), "-o", str(out), "--size", "64"]
    assert crops.main(command) == 0
    assert "train" in capsys.readouterr().out
    first = out.read_bytes()
    assert crops.main(command) == 0 and out.read_bytes() == first
    data = load_data(out)
    assert data.shape == (64, 64, 3) and len(data.classes) == 2
    with np.load(out) as arrays:
        seen = [set(arrays[f"board_{part}"].tolist()) for part in crops.PARTS]
        assert all(len(data.parts[part]) == len(arrays[f"x_{part}"]) for part in crops.PARTS)
    groups = [{drawn[number].group for number in numbers} for numbers in seen]
    assert all(groups) and len(set.union(*groups)) == sum(map(len, groups))
    for part in data.parts.values():
        assert np.bincount(part.labels).tolist() == [len(part) // 2] * 2


def test_another_seed_makes_other_crops_and_what_cannot_be_cut_is_said(
    drawn: list[boards.Board],
) -> None:
    one, other = (crops.make_crops(drawn, 64, seed) for seed in (0, 1))
    assert not np.array_equal(one["x_train"], other["x_train"])
    with pytest.raises(DataError, match="three parts need three"):
        crops.make_crops([board for board in drawn if board.group != "group1"], 64, 0)
    with pytest.raises(UsageError, match="no crop of 400 fits"):
        crops.make_crops(drawn, 400, 0)


@settings(max_examples=200, deadline=None)
@given(
    left=st.integers(0, 99),
    top=st.integers(0, 79),
    width=st.integers(1, 60),
    height=st.integers(1, 60),
    seed=st.integers(0, 99),
)
def test_a_crop_with_a_defect_holds_all_of_it(
    left: int, top: int, width: int, height: int, seed: int
) -> None:
    shape, size = (80, 100), (48, 40)
    box = np.array([left, top, min(left + width, 100), min(top + height, 80)])
    rng = np.random.default_rng(seed)
    place = crops.place_around(box, shape, size, rng)
    margin = crops.MARGIN
    rows = (max(0, box[1] - margin), min(80, box[3] + margin))
    columns = (max(0, box[0] - margin), min(100, box[2] + margin))
    fits = rows[1] - rows[0] <= size[0] and columns[1] - columns[0] <= size[1]
    assert (place is not None) == fits
    if place is not None:
        assert 0 <= place[0] <= rows[0] and rows[1] <= place[0] + size[0] <= 80
        assert 0 <= place[1] <= columns[0] and columns[1] <= place[1] + size[1] <= 100
        assert crops.touches(place, size, box[None])


def test_a_crop_without_a_defect_holds_none_of_any(drawn: list[boards.Board]) -> None:
    size, rng, found = (64, 64), np.random.default_rng(0), 0
    for board in drawn:
        marked = np.zeros(board.tested.shape, np.uint8)
        for left, top, right, bottom in board.boxes:
            marked[top:bottom, left:right] = 1
        for _ in range(20):
            place = crops.place_apart(board, size, rng)
            if place is not None:
                found += 1
                assert not crops.cut(marked, place, size).any()
                twin = crops.cut(board.template, place, size)
                assert np.array_equal(crops.cut(board.tested, place, size), twin)
    assert found > 20


def test_boxes_of_drawn_boards_hold_all_that_differs(drawn: list[boards.Board]) -> None:
    for board in drawn:
        differs = board.tested != board.template
        assert differs.any() and len(board.boxes) == len(board.kinds) > 0
        for left, top, right, bottom in board.boxes:
            assert differs[top:bottom, left:right].any()
            differs[top:bottom, left:right] = False
        assert not differs.any()


def test_rgb565_goes_there_and_back() -> None:
    words = np.arange(1 << 16, dtype=np.uint16)
    colours = camera.unpack_rgb565(words)
    assert np.array_equal(camera.pack_rgb565(colours), words)
    assert colours[0].tolist() == [0, 0, 0] and colours[-1].tolist() == [255, 255, 255]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("1 2 3 4", "not five whole numbers"),
        ("1 2 three 4 5", "not five whole numbers"),
        ("10 10 10 20 1", "does not lie in"),
        ("10 10 20 9999999 1", "does not lie in"),
        ("10 10 20 20 7", "does not lie in"),
        ("1 2 99999999999999999999 4 1", "not five whole numbers"),
    ],
)
def test_a_wrong_box_is_named(
    tmp_path: Path, drawn: list[boards.Board], text: str, problem: str
) -> None:
    synthetic.write_boards(drawn[:1], tmp_path / "boards.zip")
    with zipfile.ZipFile(tmp_path / "boards.zip") as archive:
        archive.extractall(tmp_path / "unpacked")
    next((tmp_path / "unpacked").rglob("*.txt")).write_text(f"1 2 30 40 1\n{text}\n")
    with pytest.raises(DataError, match=problem) as raised:
        boards.read_boards(tmp_path / "unpacked")
    assert ".txt:2" in str(raised.value)


def test_two_boards_of_one_name_are_named(tmp_path: Path, drawn: list[boards.Board]) -> None:
    synthetic.write_boards(drawn[:1], tmp_path / "one.zip")
    for folder in ("a", "b"):
        with zipfile.ZipFile(tmp_path / "one.zip") as archive:
            archive.extractall(tmp_path / "both" / folder)
    with pytest.raises(DataError, match="names are unique"):
        boards.read_boards(tmp_path / "both")


def test_an_archive_without_boards_is_one_error_and_no_file(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "empty.zip", "w") as archive:
        archive.writestr("readme.txt", "nothing")
    command = [sys.executable, str(SCRIPTS / "crops.py"), str(tmp_path / "empty.zip")]
    done = subprocess.run(
        [*command, "-o", str(tmp_path / "crops.npz")], capture_output=True, text=True, check=False
    )
    assert done.returncode == 4 and done.stderr.startswith("error:") and not done.stdout
    assert not (tmp_path / "crops.npz").exists()


def test_boards_of_deep_pcb_go_to_parts_by_group(real_data: Path) -> None:
    found = boards.read_boards(real_data / "deeppcb" / "deeppcb.zip")
    assert len(found) == 480 and sum(len(board.boxes) for board in found) == 2880
    parts = crops.parts_of_groups(found)
    assert parts["group77000"] == "test" and parts["group50600"] == "validation"
    assert sorted(parts.values()) == ["test", "train", "train", "train", "validation"]
    some = [board for group in parts for board in found if board.group == group][:480:40]
    arrays = crops.make_crops(some, 96, 0)
    assert arrays["x_train"].shape[1:] == (96, 96, 3)
