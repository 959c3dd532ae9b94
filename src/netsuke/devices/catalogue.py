"""Reading device descriptions: the shipped catalogue and a person's own files."""

from __future__ import annotations

import math
import os
import tomllib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar

from netsuke.devices.device import Device, Power, Region
from netsuke.devices.host import HOST, host_board
from netsuke.errors import DeviceError

BOARDS = Path(__file__).parent / "boards"
USES = ("code", "weights", "arena", "data", "stack")
LARGEST_FILE = 1 << 14  # bytes; the reader's time grows with the square of a dotted name

T = TypeVar("T")


def user_folder() -> Path:
    """Where a person's own boards live (``$XDG_CONFIG_HOME/netsuke/devices``)."""
    base = os.environ.get("XDG_CONFIG_HOME") or os.path.expanduser("~/.config")
    return Path(base) / "netsuke" / "devices"


def parse_size(text: str | int, place: str = "size") -> int:
    """Bytes of ``131072``, ``"128KiB"``, ``"128 KB"`` or ``"1M"`` (all units are powers of 1024).

    Raises
    ------
    DeviceError
        When the text is not a size.
    """
    if isinstance(text, int) and not isinstance(text, bool):
        return text
    if not isinstance(text, str):
        raise DeviceError(place, f"{text!r} is not a size such as 128KiB")
    digits = text.strip().replace("_", "").replace(",", "")
    unit = digits.lstrip("0123456789.").strip()
    number = digits[: len(digits) - len(digits.lstrip("0123456789."))]
    factors = {"": 1, "b": 1, "k": 1 << 10, "m": 1 << 20, "g": 1 << 30}
    key = unit.lower().removesuffix("ib").removesuffix("b") if unit.lower() != "b" else ""
    try:
        return int(float(number) * factors[key])
    except (ValueError, KeyError, OverflowError):
        raise DeviceError(place, f"{text!r} is not a size such as 128KiB") from None


def device_ids() -> list[str]:
    """Ids of all devices that `device` knows, sorted."""
    found = {path.stem for folder in (BOARDS, user_folder()) for path in folder.glob("*.toml")}
    return sorted(found)


def device(name: str) -> Device:
    """Return a device by its id, or from a ``.toml`` file by its path; ``host`` is this machine.

    Raises
    ------
    DeviceError
        When the id is unknown or the description is wrong, naming the field.
    """
    path = Path(host_board() if name == HOST else name)
    name = str(path)
    if path.suffix != ".toml":
        candidates = [user_folder() / f"{name}.toml", BOARDS / f"{name}.toml"]
        path = next((candidate for candidate in candidates if candidate.is_file()), Path())
        if not path.is_file():
            raise DeviceError(name, f"is no known device; known are {', '.join(device_ids())}")
    return _device(_read(path), str(path))


def _read(path: Path) -> dict[str, Any]:
    """The table in a file; a description is untrusted input."""
    try:
        if path.exists() and not path.is_file():
            raise DeviceError(str(path), "is no file")
        with path.open("rb") as stream:
            content = stream.read(LARGEST_FILE + 1)
        if len(content) > LARGEST_FILE:
            raise DeviceError(str(path), f"is larger than {LARGEST_FILE:,} B")
        return tomllib.loads(content.decode())
    except (OSError, ValueError) as error:  # of UTF-8, of TOML, of integers beyond reason
        raise DeviceError(str(path), f"cannot be read: {error}") from None
    except RecursionError:
        raise DeviceError(str(path), "cannot be read: it is nested too deeply") from None


def _field(table: Mapping[str, Any], key: str, convert: Callable[[Any], T], place: str) -> T:
    """The converted value of a field; errors name the file and the field."""
    if key not in table:
        raise DeviceError(place, f"lacks the field {key!r}")
    try:
        return convert(table[key])
    except (TypeError, ValueError, OverflowError):
        raise DeviceError(place, f"field {key!r} has the unusable value {table[key]!r}") from None


def _text(value: Any) -> str:
    if not isinstance(value, str) or not value:
        raise ValueError
    return value


def _texts(value: Any) -> tuple[str, ...]:
    if not isinstance(value, list):
        raise ValueError
    return tuple(map(_text, value))


def _tables(value: Any) -> list[dict[str, Any]]:
    if not isinstance(value, list) or not all(isinstance(entry, dict) for entry in value):
        raise ValueError
    return value


def _number(value: Any) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise ValueError
    return value


def _megahertz(value: Any) -> float:
    if isinstance(value, bool) or not 0 < float(value) < math.inf:
        raise ValueError
    return float(value) * 1e6


def _watts(value: Any) -> float:
    if isinstance(value, bool) or not 0 < float(value) < math.inf:
        raise ValueError
    return float(value)


def _device(table: dict[str, Any], place: str) -> Device:
    entries = _field(table, "region", _tables, place)
    regions = tuple(_region(entry, place, number) for number, entry in enumerate(entries))
    names = [region.name for region in regions]
    for name in names:
        if names.count(name) > 1:
            raise DeviceError(place, f"field 'region': two regions are called {name!r}")
    for use in ("weights", "arena"):
        if not any(use in region.use for region in regions):
            raise DeviceError(place, f"field 'region': no region has the use {use!r}")
    sources = _field({"source": [], **table}, "source", _tables, place)
    cores = _field({"cores": 1, **table}, "cores", _number, place)
    if cores < 1:
        raise DeviceError(place, f"field 'cores' has the unusable value {cores}")
    return Device(
        id=_field(table, "id", _text, place),
        name=_field(table, "name", _text, place),
        core=_field(table, "core", _text, place),
        isa=frozenset(_field({"isa": [], **table}, "isa", _texts, place)),
        clock=_field(table, "clock_mhz", _megahertz, place),
        regions=regions,
        cores=cores,
        sources=tuple(
            f"{_field(entry, 'field', _text, place)}: {_field(entry, 'source', _text, place)}"
            for entry in sources
        ),
        power=_power(table, place),
    )


def _power(table: dict[str, Any], place: str) -> Power | None:
    """The optional table ``power``, whose figures are in W."""
    if "power" not in table:
        return None
    entry = _tables([table["power"]])[0] if isinstance(table["power"], dict) else {}
    idle, active = (_field(entry, key, _watts, f"{place}, power") for key in ("idle", "active"))
    if active < idle:
        raise DeviceError(place, f"power: active ({active:g} W) is less than idle ({idle:g} W)")
    return Power(idle, active)


def _region(entry: dict[str, Any], place: str, number: int) -> Region:
    name = _field(entry, "name", _text, f"{place}, region {number}")
    place = f"{place}, region {name!r}"
    region = Region(
        name=name,
        kind=_field(entry, "kind", _text, place),
        size=_field(entry, "size", lambda v: parse_size(v, f"{place}, field 'size'"), place),
        use=_field(entry, "use", _texts, place),
        reserve=_field(
            {"reserve": 0, **entry},
            "reserve",
            lambda v: parse_size(v, f"{place}, field 'reserve'"),
            place,
        ),
        origin=_field({"origin": 0, **entry}, "origin", _number, place),
    )
    if region.kind not in ("flash", "ram"):
        raise DeviceError(place, f"field 'kind' is {region.kind!r}, not 'flash' or 'ram'")
    for use in region.use:
        if use not in USES:
            raise DeviceError(place, f"field 'use' has {use!r}, not one of {', '.join(USES)}")
    if region.size < 1:
        raise DeviceError(place, f"field 'size' is {region.size}, not a positive number of bytes")
    if not 0 <= region.reserve <= region.size:
        raise DeviceError(
            place, f"field 'reserve' is {region.reserve:,} B of {region.size:,} B: more than it has"
        )
    return region
