"""The device catalogue: shipped boards are sane, a person's own are found and checked."""

from __future__ import annotations

import os
from itertools import pairwise
from pathlib import Path

import pytest

from netsuke.devices import device, device_ids
from netsuke.devices.catalogue import BOARDS, USES, parse_size
from netsuke.errors import DeviceError

SHIPPED = sorted(path.stem for path in BOARDS.glob("*.toml"))
LINUX_CORES = ("cortex-a",)

GOOD = """
id = "mine"
name = "My board"
core = "cortex-m4"
isa = ["thumb2", "dsp"]
clock_mhz = 96
[[region]]
name = "flash"
kind = "flash"
size = "256KiB"
use = ["code", "weights"]
[[region]]
name = "sram"
kind = "ram"
size = "64KiB"
reserve = "2KiB"
use = ["arena", "data", "stack"]
"""


@pytest.fixture
def own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder for a person's own boards."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    folder = tmp_path / "netsuke" / "devices"
    folder.mkdir(parents=True)
    return folder


def test_the_catalogue_has_the_boards_of_the_plan() -> None:
    assert len(SHIPPED) >= 23
    assert {"arduino-uno", "nucleo-f446re", "generic-cortex-m4-256k", "rpi-4b"} <= set(SHIPPED)


@pytest.mark.parametrize("name", SHIPPED)
def test_a_shipped_board_is_sane(name: str) -> None:
    board = device(name)
    assert board.id == name
    assert 1e6 <= board.clock <= 4e9
    assert board.isa and board.sources
    assert board.memory("stack"), "nowhere to put the stack"
    assert board.ram > 0 and board.flash > 0
    for region in board.regions:
        assert region.use and set(region.use) <= set(USES)
        assert 0 < region.available <= region.size
        assert "arena" not in region.use or region.kind == "ram"
    if not board.core.startswith(LINUX_CORES):
        stack = board.memory("stack")[0]
        assert stack.reserve >= (256 if "avr" in board.isa else 2048)


@pytest.mark.parametrize("name", SHIPPED)
def test_the_regions_of_a_board_do_not_overlap(name: str) -> None:
    board = device(name)
    if "avr" in board.isa:  # two address spaces
        return
    spans = sorted((r.origin, r.origin + r.size) for r in board.regions if r.origin)
    assert all(end <= start for (_, end), (start, _) in pairwise(spans))


def test_the_uno_keeps_256_bytes_for_its_stack_and_512_for_its_boot_loader() -> None:
    uno = device("arduino-uno")
    assert (uno.ram, uno.flash) == (1792, 32256)


def test_only_boards_with_dsp_instructions_say_so() -> None:
    assert "dsp" in device("nucleo-f446re").isa
    assert "dsp" not in device("rpi-pico").isa
    assert "mve" in device("corstone-300").isa


def test_a_persons_own_board_is_found_and_listed(own_folder: Path) -> None:
    (own_folder / "mine.toml").write_text(GOOD)
    assert "mine" in device_ids()
    assert device("mine").ram == 62 * 1024
    assert device(str(own_folder / "mine.toml")).flash == 256 * 1024


def test_a_persons_own_board_goes_before_a_shipped_one(own_folder: Path) -> None:
    (own_folder / "nucleo-f446re.toml").write_text(GOOD)
    assert device("nucleo-f446re").name == "My board"


def test_an_unknown_board_names_the_known_ones() -> None:
    with pytest.raises(DeviceError, match="nucleo-f446re"):
        device("nucleo-f999")


@pytest.mark.parametrize(
    ("old", "new", "field"),
    [
        ('core = "cortex-m4"', "", "'core'"),
        ("clock_mhz = 96", 'clock_mhz = "fast"', "'clock_mhz'"),
        ("clock_mhz = 96", "clock_mhz = -1", "'clock_mhz'"),
        ('id = "mine"', "id = 7", "'id'"),
        ('isa = ["thumb2", "dsp"]', 'isa = "dsp"', "'isa'"),
        ('size = "64KiB"', 'size = "64 furlongs"', "'size'"),
        ('size = "64KiB"', "size = 0", "'size'"),
        ('size = "64KiB"', "size = [1]", "'size'"),
        ('reserve = "2KiB"', 'reserve = "65KiB"', "'reserve'"),
        ('kind = "ram"', 'kind = "rom"', "'kind'"),
        ('"arena", "data"', '"arnea", "data"', "arnea"),
        ('name = "sram"', 'name = "flash"', "'flash'"),
        ("clock_mhz = 96", "clock_mhz = 96\ncores = 0", "'cores'"),
        ("clock_mhz = 96", "clock_mhz = 96\nsource = 3", "'source'"),
        ('use = ["arena", "data", "stack"]', 'use = ["data"]', "'arena'"),
    ],
)
def test_a_malformed_board_is_refused_by_file_and_field(
    own_folder: Path, old: str, new: str, field: str
) -> None:
    assert old in GOOD
    path = own_folder / "mine.toml"
    path.write_text(GOOD.replace(old, new))
    with pytest.raises(DeviceError) as caught:
        device("mine")
    assert str(path) in str(caught.value)
    assert field in str(caught.value)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"id = ",
        b"\xff\xfe",
        b"region = 3",
        b"a = " + b"[" * 9_000,
        b"a." * 7_000 + b"b = 1",
        b"clock_mhz = 1" + b"0" * 9_000,
        b"#" * 20_000,
    ],
)
def test_a_file_that_is_no_board_is_refused(own_folder: Path, content: bytes) -> None:
    (own_folder / "mine.toml").write_bytes(content)
    with pytest.raises(DeviceError, match=r"mine\.toml"):
        device("mine")


@pytest.mark.parametrize(
    ("text", "size"), [("128KiB", 131072), ("2 KB", 2048), ("1M", 1 << 20), ("1.5G", 3 << 29)]
)
def test_sizes_are_read_in_powers_of_1024(text: str, size: int) -> None:
    assert parse_size(text) == size


def test_what_is_no_plain_file_is_not_read(own_folder: Path) -> None:
    folder, pipe, endless = (own_folder / f"{name}.toml" for name in ("a", "b", "c"))
    folder.mkdir()
    os.mkfifo(pipe)
    endless.symlink_to("/dev/zero")
    for path in (folder, pipe, endless):
        with pytest.raises(DeviceError, match="is no file"):
            device(str(path))
