"""Wrappers: the files that make an artifact build in somebody's project."""

from __future__ import annotations

import functools
import re
from collections.abc import Mapping
from pathlib import Path, PurePosixPath
from typing import Any

import jinja2

from netsuke.errors import UsageError
from netsuke.ir import Graph
from netsuke.schedule import Plan

HERE = Path(__file__).parent
TEST = "test"
WRAPPERS = tuple(sorted(path.name for path in (HERE / "wrappers").iterdir() if path.is_dir()))
"""Names of the wrappers: one folder of templates each."""


@functools.cache
def _templates() -> jinja2.Environment:
    return jinja2.Environment(
        loader=jinja2.FileSystemLoader([HERE / "templates", HERE / "wrappers"]),
        undefined=jinja2.StrictUndefined,
        keep_trailing_newline=True,
        autoescape=False,
    )


def render(template: str, **values: Any) -> str:
    """Fill one template of this room."""
    return _templates().get_template(template).render(**values)


def wrap(
    target: str,
    files: Mapping[PurePosixPath, bytes],
    graph: Graph,
    plan: Plan,
    told: Mapping[str, Any],
) -> dict[PurePosixPath, bytes]:
    """Add a wrapper's files, and move the C where the wrapper wants it.

    A wrapper is a folder of templates; its file ``LAYOUT`` names the folder for the C files. A
    template that gives nothing makes no file; `told` are further values for all of them.

    Raises
    ------
    UsageError
        When there is no such wrapper.
    """
    if target not in WRAPPERS:
        raise UsageError(f"{target!r} is no target; there are {', '.join(WRAPPERS)}")
    folder = HERE / "wrappers" / target
    base = PurePosixPath((folder / "LAYOUT").read_text(encoding="utf-8").strip())
    placed = {_place(path, base): content for path, content in files.items()}
    values = {
        "name": re.sub(r"[^\w-]+", "_", graph.name, flags=re.ASCII) or "model",
        "kernels": sorted(p.name for p in files if p.parent.name == "kernels" and p.suffix == ".c"),
        "arena": plan.arena,
        "selftest": any(path.parent.name == TEST for path in files),
        "inputs": len(graph.inputs),
        "outputs": len(graph.outputs),
        **told,
    }
    for template in sorted(folder.rglob("*.j2")):
        path = PurePosixPath(template.relative_to(folder).as_posix()).with_suffix("")
        text = render(f"{target}/{path}.j2", **values)
        if text:
            placed[path] = text.encode()
    return placed


def _place(path: PurePosixPath, base: PurePosixPath) -> PurePosixPath:
    """Where a file goes: C into the wrapper's folder, but no test among a library's sources."""
    if path.suffix not in (".c", ".h"):
        return path
    if path.parent.name == TEST and base != PurePosixPath():
        return "extras" / path
    return base / path
