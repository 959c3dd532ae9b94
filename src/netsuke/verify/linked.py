"""The sizes of an artifact as a linker sees them, without running it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from netsuke.codegen import Artifact
from netsuke.errors import NetsukeError
from netsuke.verify.avr import COMPILER, build_avr, is_avr
from netsuke.verify.cores import CORES
from netsuke.verify.image import build_image
from netsuke.verify.project import open_project
from netsuke.verify.toolchain import find_compiler, target_compiler


@dataclass(frozen=True, slots=True)
class LinkedSizes:
    """Bytes of an artifact's parts in an image for its core.

    Attributes
    ----------
    code
        Flash that is not weights.
    weights
        The model's tables.
    arena
        All arenas.
    data
        Variables besides the arenas.
    compiler
        The version of the compiler that made the image.
    """

    code: int
    weights: int
    arena: int
    data: int
    compiler: str


def can_link(core: str) -> bool:
    """Whether a compiler for a core is here."""
    if is_avr(core):
        return find_compiler(COMPILER) is not None
    if core not in CORES:
        return False
    try:
        target_compiler()
    except NetsukeError:
        return False
    return True


def link_sizes(artifact: Artifact | Path | str, compiler: str | None = None) -> LinkedSizes:
    """Compile and link an artifact for its own core and return the sizes of its parts.

    Raises
    ------
    MissingToolError
        When no compiler for the core is installed.
    VerificationError
        When the compiler refuses the C.
    """
    project = open_project(artifact)
    image = (
        build_avr(project)
        if is_avr(project.core[0])
        else build_image(project, project.emulated_core(), compiler=compiler)
    )
    sizes = image.sizes
    return LinkedSizes(
        code=sizes.code,
        weights=sizes.weights,
        arena=sum(arena.size for arena in image.arenas),
        data=sizes.data + sizes.bss,
        compiler=image.compiler.version,
    )
