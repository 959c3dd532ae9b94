"""The documents say what the code does."""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from netsuke.cli import main
from netsuke.errors import MissingToolError
from netsuke.verify.simavr import rig

ROOT = Path(__file__).parents[1]
SESSION = re.compile(r"^\$ (netsuke|python) (.+)$", re.MULTILINE)


def test_generated_pages_are_up_to_date() -> None:
    command = [sys.executable, str(ROOT / "docs" / "generate.py"), "--check"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_links_in_documents_lead_somewhere() -> None:
    for page in [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]:
        for target in re.findall(r"\]\(([^)#]+)\)", page.read_text(encoding="utf-8")):
            if "://" not in target:
                assert (page.parent / target).exists(), f"{page.name} links to {target}"


def test_decisions_have_numbers_of_their_own() -> None:
    numbers = [int(p.name[:4]) for p in (ROOT / "docs" / "decisions").glob("*.md")]
    assert len(set(numbers)) == len(numbers) and min(numbers) == 1


def test_the_session_of_the_readme_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Every command of the README, in order, on smaller settings where time is the only reason."""
    monkeypatch.chdir(tmp_path)
    missing: list[str] = []
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    commands = [(program, shlex.split(line)) for program, line in SESSION.findall(text)]
    assert len(commands) >= 8
    for program, arguments in commands:
        if program == "python":
            script, *rest = arguments
            subprocess.run([sys.executable, str(ROOT / script), *rest], check=True)
            continue
        if "arduino-uno" in arguments and not (shutil.which("avr-gcc") and rig_is_here()):
            missing.append(" ".join(arguments))
            continue
        if arguments[0] == "train":
            arguments += ["--epochs", "2"]
        if arguments[0] == "fit" and "--data" in arguments:
            arguments += ["--time", "20s"]
        code = main(arguments)
        captured = capsys.readouterr()
        # check says that the network does not fit yet; a hurried fit may miss its accuracy.
        allowed = (0, 3) if arguments[0] in ("check", "fit") else (0,)
        assert code in allowed, f"netsuke {' '.join(arguments)}: {captured.err}"
    if missing:
        pytest.skip(f"avr-gcc or simavr is not installed; left out: {'; '.join(missing)}")


def rig_is_here() -> bool:
    try:
        rig()
    except MissingToolError:
        return False
    return True
