"""What a device has: cores, instruction sets, memory regions, clocks; one ``.toml`` a board."""

from netsuke.devices.catalogue import device, device_ids
from netsuke.devices.device import Device, Limits, Power, Region

__all__ = ["Device", "Limits", "Power", "Region", "device", "device_ids"]
