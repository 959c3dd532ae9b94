"""What is verified: an artifact in memory or its folder, with the graph that defines it."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from netsuke.codegen import Artifact
from netsuke.errors import ModelError, UsageError
from netsuke.ir import Graph
from netsuke.ir.serialize import load_graph
from netsuke.ops import OPERATORS
from netsuke.verify import pushed
from netsuke.verify.cores import Core, core

GRAPH_FILE = "graph.nsk"
LARGEST_FILE = 1 << 28


@dataclass(frozen=True, slots=True, eq=False)
class Project:
    """The C files of an artifact, and what they must mean.

    Attributes
    ----------
    files
        Every file of the artifact.
    sources
        The C files among them that make the library: ``model.c`` and the kernels.
    graph
        The meaning.
    manifest
        What ``manifest.json`` says.
    core
        Name of the core that the artifact was made for, and its instruction sets.
    """

    files: Mapping[PurePosixPath, bytes]
    sources: Mapping[PurePosixPath, bytes]
    graph: Graph
    manifest: Mapping[str, Any]
    core: tuple[str, frozenset[str]]

    def emulated_core(self) -> Core:
        """The core in the emulators' terms; raises UsageError when none can run it."""
        return core(*self.core)


def open_project(artifact: Artifact | Path | str) -> Project:
    """Return the project of an artifact or of the folder it was written to.

    Raises
    ------
    UsageError
        When there is no such folder, or it is no artifact.
    ModelError
        When its graph or manifest is damaged.
    """
    if isinstance(artifact, Artifact):
        place, files = "artifact", dict(artifact.files)
    else:
        place, files = str(artifact), _read_folder(Path(artifact))
    graph_path = next((path for path in sorted(files) if path.name == GRAPH_FILE), None)
    model = next((path for path in sorted(files) if path.name == "model.c"), None)
    if model is None or graph_path is None:
        raise UsageError(
            f"{place}: is no artifact: it lacks {'model.c' if model is None else GRAPH_FILE}; "
            "make one with `netsuke compile`"
        )
    manifest = _manifest(files, place)
    graph = load_graph(files[graph_path], OPERATORS, f"{place}/{graph_path}")
    sources = _sources(files, model.parent)
    if manifest.get("stream") is True and len(graph.inputs) == 1:
        sources[pushed.SOURCE] = pushed.pushing(graph, chunk_of(manifest, place))
    return Project(
        files=files,
        sources=sources,
        graph=graph,
        manifest=manifest,
        core=_core(manifest, place),
    )


def chunk_of(manifest: Mapping[str, Any], place: str = "manifest.json") -> int:
    """Elements that are pushed at once; raises ModelError where the manifest has no such number."""
    chunk = manifest.get("chunk", 1)
    if type(chunk) is not int or not 1 <= chunk <= 65535:
        raise ModelError(f"{place}, chunk", f"is {chunk!r}, not 1 .. 65,535")
    return chunk


def _read_folder(folder: Path) -> dict[PurePosixPath, bytes]:
    """Every C file, the graph, the manifest and whatever else the manifest lists."""
    if not folder.is_dir():
        raise UsageError(f"{folder}: is no folder; make one with `netsuke compile`")
    found = [path for path in sorted(folder.rglob("*")) if path.suffix in (".c", ".h", ".nsk")]
    files = _read_files(folder, [*found, folder / "manifest.json"])
    listed = _manifest(files, str(folder)).get("files")
    if isinstance(listed, dict):
        inside = [PurePosixPath(name) for name in listed if isinstance(name, str)]
        safe = [path for path in inside if not path.is_absolute() and ".." not in path.parts]
        files |= _read_files(folder, [folder / path for path in safe])
    return files


def _read_files(folder: Path, paths: Iterable[Path]) -> dict[PurePosixPath, bytes]:
    files = {}
    try:
        for path in paths:
            if path.is_file():
                if path.stat().st_size > LARGEST_FILE:
                    raise UsageError(f"{path}: is larger than {LARGEST_FILE:,} B")
                files[PurePosixPath(path.relative_to(folder).as_posix())] = path.read_bytes()
    except (OSError, ValueError) as error:
        raise UsageError(f"{folder}: cannot be read: {error}") from None
    return files


def _sources(
    files: Mapping[PurePosixPath, bytes], base: PurePosixPath
) -> dict[PurePosixPath, bytes]:
    """The C beside ``model.c`` and in ``kernels/``; a person's own files around it stay out."""
    chosen = {}
    for path, data in files.items():
        own = path.parent == base and path.name.startswith("model")
        if path.suffix in (".c", ".h") and (own or path.parent == base / "kernels"):
            chosen[path.relative_to(base)] = data
    return chosen


def _manifest(files: Mapping[PurePosixPath, bytes], place: str) -> dict[str, Any]:
    data = files.get(PurePosixPath("manifest.json"))
    if data is None:
        return {}
    try:
        manifest = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise ModelError(f"{place}/manifest.json", f"is damaged: {error}") from None
    if not isinstance(manifest, dict):
        raise ModelError(f"{place}/manifest.json", "does not hold a table")
    return manifest


def _core(manifest: Mapping[str, Any], place: str) -> tuple[str, frozenset[str]]:
    device = manifest.get("device", {"core": "cortex-m4", "isa": ["thumb2", "dsp", "fpu-sp"]})
    try:
        return str(device["core"]), frozenset(map(str, device["isa"]))
    except (KeyError, TypeError):
        raise ModelError(f"{place}/manifest.json", "does not name a core and its isa") from None
