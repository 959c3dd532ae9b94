"""Plan → project: readable C99, and the wrappers that make it build in an engineer's project."""

from netsuke.codegen.artifact import Artifact
from netsuke.codegen.c import compile_graph
from netsuke.codegen.wrap import WRAPPERS

__all__ = ["WRAPPERS", "Artifact", "compile_graph"]
