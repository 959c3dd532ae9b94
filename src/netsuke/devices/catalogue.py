"""Reading device descriptions: the shipped catalogue and a person's own files."""

from __future__ import annotations

import os
import tomllib
from pathlib import Path
from typing import Any

from netsuke.devices.device import Device, Region
from netsuke.errors import DeviceError

BOARDS = Path(__file__).parent / "boards"


def user_folder() -> Path:
    """Where a person's own boards live (``$XDG_CONFIG_HOME/netsuke/devices``)."""
    base = os.environ.get("XDG_CONFIG_HOME") or str(Path.home() / ".config")
    return Path(base) / "netsuke" / "devices"


def parse_size(text: str | int, place: str = "size") -> int:
    """Bytes of ``131072``, ``"128KiB"``, ``"128 KB"`` or ``"1M"`` (all units are powers of 1024).

    Raises
    ------
    DeviceError
        When the text is not a size.
    """
    if isinstance(text, int):
        return text
    digits = text.strip().replace("_", "").replace(",", "")
    unit = digits.lstrip("0123456789.").strip()
    number = digits[: len(digits) - len(digits.lstrip("0123456789."))]
    factors = {"": 1, "b": 1, "k": 1 << 10, "m": 1 << 20, "g": 1 << 30}
    key = unit.lower().removesuffix("ib").removesuffix("b") if unit.lower() != "b" else ""
    try:
        return int(float(number) * factors[key])
    except (ValueError, KeyError):
        raise DeviceError(place, f"{text!r} is not a size such as 128KiB") from None


def device_ids() -> list[str]:
    """Ids of all devices that `device` knows, sorted."""
    found = {path.stem for folder in (BOARDS, user_folder()) for path in folder.glob("*.toml")}
    return sorted(found)


def device(name: str) -> Device:
    """Return a device by its id, or from a ``.toml`` file by its path.

    Raises
    ------
    DeviceError
        When the id is unknown or the description is wrong, naming the field.
    """
    path = Path(name)
    if path.suffix != ".toml":
        candidates = [user_folder() / f"{name}.toml", BOARDS / f"{name}.toml"]
        path = next((candidate for candidate in candidates if candidate.is_file()), Path())
        if not path.is_file():
            raise DeviceError(name, f"is no known device; known are {', '.join(device_ids())}")
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise DeviceError(str(path), f"cannot be read: {error}") from None
    return _device(table, str(path))


def _device(table: dict[str, Any], place: str) -> Device:
    try:
        regions = tuple(_region(entry, place) for entry in table["region"])
        return Device(
            id=str(table["id"]),
            name=str(table["name"]),
            core=str(table["core"]),
            isa=frozenset(map(str, table.get("isa", []))),
            clock=float(table["clock_mhz"]) * 1e6,
            regions=regions,
            cores=int(table.get("cores", 1)),
            sources=tuple(f"{s['field']}: {s['source']}" for s in table.get("source", [])),
        )
    except KeyError as error:
        raise DeviceError(place, f"lacks the field {error}") from None
    except (TypeError, ValueError) as error:
        raise DeviceError(place, f"has a field of the wrong type: {error}") from None


def _region(entry: dict[str, Any], place: str) -> Region:
    region = Region(
        name=str(entry["name"]),
        kind=str(entry["kind"]),
        size=parse_size(entry["size"], place),
        use=tuple(map(str, entry["use"])),
        reserve=parse_size(entry.get("reserve", 0), place),
        origin=int(entry.get("origin", 0)),
    )
    if region.kind not in ("flash", "ram"):
        raise DeviceError(place, f"region {region.name!r} has kind {region.kind!r}")
    if not 0 <= region.reserve <= region.size:
        raise DeviceError(place, f"region {region.name!r} reserves more than it has")
    return region
