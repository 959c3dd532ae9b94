"""How the generated C of the benchmark's models differs between two commits.

As a program it writes the C of all models into a folder: `show_diff` runs it once with each
commit's own sources.
"""

from __future__ import annotations

import difflib
import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).parents[2]
CORES = ("cortex-m4", "cortex-m0plus")
SHOWN = (".c", ".h")


def show_diff(commits: Sequence[str]) -> int:
    """Print a unified diff from the first commit to the second, or to the files here."""
    with tempfile.TemporaryDirectory(prefix="netsuke-diff-") as name:
        folder = Path(name)
        before = _at_commit(commits[0], folder / "before")
        after = _at_commit(commits[1], folder / "after") if len(commits) > 1 else None
        if after is None:
            after = folder / "after"
            _write(ROOT, after)
        for line in diff(before, after):
            print(line)
    return 0


def diff(before: Path, after: Path) -> list[str]:
    """Lines of a unified diff of two folders' C, by path."""
    lines: list[str] = []
    paths = {
        path.relative_to(root)
        for root in (before, after)
        for path in root.rglob("*")
        if path.suffix in SHOWN
    }
    for path in sorted(paths):
        texts = [
            (root / path).read_text(encoding="utf-8").splitlines()
            if (root / path).is_file()
            else []
            for root in (before, after)
        ]
        lines += difflib.unified_diff(*texts, f"a/{path}", f"b/{path}", lineterm="")
    return lines


def _at_commit(commit: str, out: Path) -> Path:
    """The C that a commit generates; a worktree in a temporary folder holds its sources."""
    with tempfile.TemporaryDirectory(prefix="netsuke-tree-") as name:
        tree = Path(name) / "tree"
        _git("worktree", "add", "--detach", "--quiet", str(tree), commit)
        try:
            _write(tree, out)
        finally:
            _git("worktree", "remove", "--force", str(tree))
    return out


def _git(*arguments: str) -> None:
    subprocess.run(["git", *arguments], cwd=ROOT, check=True)


def _write(tree: Path, out: Path) -> None:
    """Let this program write the C with the sources of a tree."""
    environment = {**os.environ, "PYTHONPATH": str(tree / "src")}
    environment.setdefault("NETSUKE_DATA", str(ROOT.parent / "shared" / "data"))
    subprocess.run([sys.executable, __file__, str(out)], env=environment, check=True)


def write(out: Path) -> None:
    """Write the C of all models for some cores into ``out/core/model``."""
    import subjects

    from netsuke.codegen import compile_graph

    for core in CORES:
        for model in subjects.MODELS:
            board = subjects.board(core)
            artifact = compile_graph(subjects.graph(model), board, **subjects.limits(model, board))
            artifact.write(out / core / model)


if __name__ == "__main__":
    write(Path(sys.argv[1]))
