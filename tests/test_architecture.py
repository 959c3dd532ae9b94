"""A room imports only rooms above it; the compiler never imports torch."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

SOURCE = Path(__file__).parents[1] / "src" / "netsuke"
ROOMS = (
    "ir",
    "ops",
    "devices",
    "frontend",
    "models",
    "data",
    "passes",
    "schedule",
    "train",
    "compress",
    "runtime",
    "codegen",
    "verify",
    "fit",
    "profile",
    "ondevice",
    "federated",
    "estimators",
    "vision",
    "report",
    "cli",
)
BESIDE = {path.stem for path in SOURCE.glob("*.py")} - {"__init__", "__main__", "api"}
COMPILER = ("ir", "ops", "devices", "passes", "schedule", "codegen", "verify")
AT_HOME = {
    "train": {"torch"},
    "compress/adaround": {"torch"},
    "compress/qat": {"torch"},
    "fit": {"torch"},
    "estimators": {"sklearn"},
}
"""Folders that are made of a heavy package; nothing that does without imports them at its top."""
HEAVY = ("torch", "sklearn", "onnxruntime", "ai_edge_litert", "ray", "optuna", "psutil", "ortools")


def python_files() -> list[Path]:
    return sorted(SOURCE.rglob("*.py"))


def room_of(path: Path) -> str:
    return path.relative_to(SOURCE).parts[0]


def imports(path: Path, top_level_only: bool = False) -> set[str]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    nodes = tree.body if top_level_only else list(ast.walk(tree))
    found: set[str] = set()
    for node in nodes:
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            assert node.level == 0, f"{path}: imports are absolute"
            found.add(node.module)
    return found


def test_every_folder_is_a_room_of_the_plan() -> None:
    folders = {path.name for path in SOURCE.iterdir() if path.is_dir() and path.name[0] not in "_."}
    assert folders <= set(ROOMS), folders - set(ROOMS)


@pytest.mark.parametrize("path", python_files(), ids=lambda p: str(p.relative_to(SOURCE)))
def test_a_room_imports_only_rooms_above_it(path: Path) -> None:
    room = room_of(path)
    if room not in ROOMS:
        return  # errors.py, api.py and __init__.py stand beside the rooms
    allowed = {*BESIDE, *ROOMS[: ROOMS.index(room) + 1]}
    if room == "cli":
        allowed |= {"api"}
    for module in imports(path):
        parts = module.split(".")
        if parts[0] == "netsuke" and len(parts) > 1:
            assert parts[1] in allowed, f"{path.relative_to(SOURCE)} imports {module}"


def test_the_compiler_never_imports_torch() -> None:
    for path in python_files():
        if room_of(path) in COMPILER:
            found = {name.split(".")[0] for name in imports(path)}
            assert "torch" not in found, path


def test_heavy_packages_are_imported_where_they_are_used() -> None:
    for path in python_files():
        found = {name.split(".")[0] for name in imports(path, top_level_only=True)}
        place = path.relative_to(SOURCE).as_posix()
        at_home = {
            n for home, names in AT_HOME.items() if place.startswith(home + "/") for n in names
        }
        heavy = found & set(HEAVY) - at_home
        assert not heavy, f"{path} imports {heavy} at its top"


def test_importing_the_package_loads_nothing_heavy() -> None:
    heavy = (*HEAVY, "onnx", "unicorn", "elftools", "PIL")
    code = f"import sys, netsuke, netsuke.cli; print([m for m in {heavy!r} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_no_module_has_a_name_that_says_nothing() -> None:
    names = {path.stem for path in python_files()}
    assert not names & {"utils", "helpers", "common", "manager", "misc"}


def test_only_the_list_of_operators_knows_all_operators() -> None:
    folders = {path.parent.name for path in (SOURCE / "ops").glob("*/__init__.py")}
    for path in python_files():
        if path == SOURCE / "ops" / "__init__.py":
            continue
        named = {
            module.split(".")[2]
            for module in imports(path)
            if module.startswith("netsuke.ops.") and module.split(".")[2] in folders
        }
        assert len(named) < len(folders) / 2, f"{path} imports {len(named)} operators"


def test_test_files_have_names_of_their_own() -> None:
    names = [
        path.name for path in Path(__file__).parent.rglob("*.py") if path.name != "conftest.py"
    ]
    twice = {name for name in names if names.count(name) > 1}
    assert not twice, f"pytest cannot import two modules of one name: {twice}"
