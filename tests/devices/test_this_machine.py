"""This machine as a device."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from netsuke.devices import device, device_ids
from netsuke.devices import host as machine
from netsuke.errors import DeviceError


def _cpu(monkeypatch: pytest.MonkeyPatch, folder: Path, text: str, kind: str = "x86_64") -> None:
    path = folder / "cpuinfo"
    path.write_text(text)
    monkeypatch.setattr(machine, "CPUINFO", path)
    monkeypatch.setattr(machine.platform, "machine", lambda: kind)
    machine.host_isa.cache_clear()


@pytest.fixture(autouse=True)
def _forget() -> Iterator[None]:
    yield
    machine.host_isa.cache_clear()


VNNI = "flags\t: avx2 avx512f avx512bw avx512vl avx512dq avx512_vnni\n"


@pytest.mark.parametrize(
    ("text", "kind", "board"),
    [
        ("flags\t\t: fpu sse2 avx2\n", "x86_64", "linux-x86-64-avx2"),
        (VNNI, "AMD64", "linux-x86-64-avx512vnni"),
        (VNNI.replace("avx2", "avx2 amx_tile amx_int8"), "x86_64", "linux-x86-64-amx"),
        ("Features\t: fp asimd crc32\n", "aarch64", "rpi-4b"),
        ("Features\t: fp asimd asimddp\n", "aarch64", "rpi-5"),
    ],
)
def test_the_host_is_the_board_with_the_most_of_its_instructions(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, text: str, kind: str, board: str
) -> None:
    _cpu(monkeypatch, tmp_path, text, kind)
    assert device("host").id == board
    assert device(board).isa & machine.WIDE <= machine.host_isa()


def test_a_host_without_vectors_asks_for_a_board(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    _cpu(monkeypatch, tmp_path, "flags\t: fpu sse2\n")
    with pytest.raises(DeviceError, match="name a board instead"):
        device("host")
    monkeypatch.setattr(machine, "CPUINFO", tmp_path / "missing")
    machine.host_isa.cache_clear()
    assert machine.host_isa() == frozenset()


def test_every_board_that_the_host_may_be_is_in_the_catalogue() -> None:
    assert set(machine.BOARDS.values()) <= set(device_ids())
    assert "host" not in device_ids()
