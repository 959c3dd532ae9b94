"""Converters, one function an ATen operator, one file a family; importing a file registers it."""
