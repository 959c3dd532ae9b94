"""The command line. One file a command; the result goes to stdout, progress to stderr."""

from netsuke.cli.main import main, program

__all__ = ["main", "program"]
