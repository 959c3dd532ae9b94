"""``python -m netsuke``."""

from netsuke.cli import program

program()
