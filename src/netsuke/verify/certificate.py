"""The certificate: every figure with its source, every file with its hash, every tool's version."""

from __future__ import annotations

import hashlib
import json
import platform
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from netsuke.codegen.manifest import netsuke_version
from netsuke.ir import Array
from netsuke.verify.backends import Backend, emulator_version
from netsuke.verify.project import Project
from netsuke.verify.toolchain import BARE

SCHEMA = "netsuke-certificate/1"

SOURCES = {
    "instructions": "emulated: executed instructions of model_invoke, largest over all samples",
    "steps": "emulated: executed instructions of each call of the last inference",
    "modelled": "modelled: counted instructions by kind times cycles of the core's manual",
    "stack": "emulated: painted before the first inference, read after the last",
    "arena": "linked: bytes of the arena symbols",
    "heap": "linked: the image holds no heap function",
    "sizes": "linked: sections of the ELF file, without start-up code",
}


def certificate(
    project: Project,
    places: Mapping[str, Backend],
    found: Mapping[str, Any],
    inputs: Sequence[Array],
    outputs: Mapping[str, Sequence[Array]],
    seed: int,
    random: bool,
) -> dict[str, Any]:
    """Return what ``certificate.json`` says.

    Parameters
    ----------
    project, places, found
        What ran, where, and what was found.
    inputs, outputs
        The samples, and what came out in each place.
    seed, random
        The seed of the samples, if they are random.
    """
    manifest = project.manifest
    hashes = {str(path): _sha256(project.files[path]) for path in sorted(project.files)}
    stated: Mapping[str, str] = manifest.get("files") or {}
    return {
        "schema": SCHEMA,
        "netsuke": netsuke_version(),
        **found,
        "seed": seed if random else None,
        "inputs": {
            "kind": "random" if random else "given",
            "sha256": _arrays_sha256(inputs),
        },
        "outputs_sha256": {name: _arrays_sha256(arrays) for name, arrays in outputs.items()},
        "meaning": _meaning(project),
        "sizes": _sizes(places),
        "arena_lower_bound": manifest.get("arena_lower_bound"),
        "sources": _sources(places),
        "model": manifest.get("model"),
        "device": manifest.get("device"),
        "graph": project.graph.fingerprint(),
        "files": hashes,
        "altered": sorted(
            name for name in hashes if name in stated and stated[name] != hashes[name]
        ),
        "toolchain": _toolchain(places),
        "flags": {name: _portable(place.flags) for name, place in places.items()},
        "fences": _fences(places),
    }


def as_bytes(document: Mapping[str, Any]) -> bytes:
    return (json.dumps(document, indent=1, allow_nan=False, default=str) + "\n").encode()


def _sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def _arrays_sha256(arrays: Sequence[Array]) -> str:
    digest = hashlib.sha256()
    for array in arrays:
        digest.update(f"{array.dtype}{array.shape}".encode())
        digest.update(np.ascontiguousarray(array).tobytes())
    return digest.hexdigest()


def _meaning(project: Project) -> dict[str, str]:
    """How each output was compared."""
    floats = {
        name for name in project.graph.outputs if project.graph.tensors[name].dtype == "float32"
    }
    close = "close to NumPy (see float_error), and the same bits wherever the C ran"
    return {
        name: close if name in floats else "NumPy, bit for bit" for name in project.graph.outputs
    }


def _sizes(places: Mapping[str, Backend]) -> dict[str, Any] | None:
    for name in ("unicorn", *places):
        image = places[name].image if name in places else None
        if image is not None:
            sizes = image.sizes
            return {**asdict(sizes), "code": sizes.code, "flash": sizes.flash}
    return None


def _sources(places: Mapping[str, Backend]) -> dict[str, str]:
    if any(place.image is not None for place in places.values()):
        sources = dict(SOURCES)
        if "simavr" in places:
            sources["cycles"] = "emulated: clock cycles of model_invoke, largest over all samples"
        elif "unicorn" not in places:
            sources["instructions"] += "; exact to one SysTick tick, some 40 instructions"
        return sources
    return {"arena": "planned: the manifest"}


def _toolchain(places: Mapping[str, Backend]) -> dict[str, str]:
    tools = {"python": platform.python_version(), "numpy": np.__version__}
    for name, place in places.items():
        tools[f"compiler ({name})"] = place.compiler.version
        version = emulator_version(name)
        if version:
            tools[f"emulator ({name})"] = version
        if place.image is not None:
            tools[f"core ({name})"] = place.image.core.name
    return tools


def _portable(flags: Sequence[str]) -> list[str]:
    """Flags without the paths of this machine."""
    return [flag.replace(str(BARE), "bare").replace(str(Path.home()), "~") for flag in flags]


def _fences(places: Mapping[str, Backend]) -> dict[str, str]:
    kinds = {
        "unicorn": "canaries and an unmapped page around every arena, all else unmapped: intact",
        "qemu": "64 B of canaries before and behind every arena: intact",
        "simavr": "16 B of paint behind the variables, and all between them and the stack: intact",
        "sanitizers": "address and undefined-behaviour sanitizers: silent",
    }
    return {name: kinds[name] for name in places if name in kinds}
