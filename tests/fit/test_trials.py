"""Trials live in a file or in a data base, and survive what comes."""

from __future__ import annotations

import shutil
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from netsuke.errors import UsageError
from netsuke.fit.design import Design, Sized, Sizes
from netsuke.fit.trials import Trials

SIZED = Sized(Design((8, 4), origin="test"), Sizes(1000, 500, 70_000, "a", "b"))


def fill(trials: Trials) -> None:
    trials.add(SIZED, {"first": 16, "second": 4}, {"input_colour input grey": False})
    trials.report(SIZED.design, 0, 81.5, {"losses": [0.5]})
    trials.report(SIZED.design, 1, 84.0, {"losses": [0.4]})
    trials.close(SIZED.design, chosen=True)


def check(trials: Trials) -> None:
    assert trials.score(SIZED.design, 1) == {"score": 84.0, "losses": [0.4]}
    assert trials.score(SIZED.design, 2) is None
    assert trials.designs() == [SIZED]
    (trial,) = trials.study.trials
    assert trial.value == 84.0 and trial.params["width first"] == 8
    assert trial.intermediate_values == {0: 81.5, 1: 84.0}


def test_trials_are_kept_in_a_file_and_read_again(tmp_path: Path) -> None:
    fill(Trials(tmp_path, "study"))
    again = Trials(tmp_path, "study")
    check(again)
    fill(again)  # what is there already changes nothing
    check(again)
    assert Trials(tmp_path, "another").designs() == []


def test_designs_that_differ_in_origin_alone_are_one_trial() -> None:
    trials = Trials(None, "study")
    places = {"first": 16, "second": 4}
    trials.add(SIZED, places, {})
    trials.add(Sized(Design((8, 4), origin="elsewhere"), SIZED.sizes), places, {})
    assert len(trials.study.trials) == 1


def test_a_data_base_that_is_not_there_is_one_clear_error(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="cannot be kept in"):
        Trials(f"sqlite:///{tmp_path}/no/such/folder/trials.db", "study")
    with pytest.raises(UsageError) as caught:
        Trials("postgresql+psycopg://somebody:secret@127.0.0.1:1/none", "study")
    assert "secret" not in str(caught.value)


@pytest.fixture
def server(tmp_path: Path) -> Iterator[str]:
    """A PostgreSQL server of our own on the loopback address."""
    pytest.importorskip("psycopg", reason="the package psycopg is not installed")
    binaries = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    runuser = shutil.which("runuser")
    if not binaries or runuser is None:
        pytest.skip("PostgreSQL's server is not installed")
    folder = binaries[-1].parent
    home = tmp_path / "base"
    home.mkdir()
    for parent in (home, *home.parents):
        if parent == Path("/tmp"):
            break
        parent.chmod(0o755)
    shutil.chown(home, "postgres")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]

    def call(program: str, *arguments: str) -> None:
        command = [runuser, "-u", "postgres", "--", str(folder / program), "-D", str(home)]
        subprocess.run([*command, *arguments], check=True, capture_output=True, timeout=120)

    call("initdb", "-A", "trust", "-U", "netsuke")
    options = f"-h 127.0.0.1 -p {port} -k {home}"
    call("pg_ctl", "-w", "-l", str(home / "log"), "-o", options, "start")
    try:
        yield f"postgresql+psycopg://netsuke@127.0.0.1:{port}/postgres"
    finally:
        call("pg_ctl", "-w", "-m", "immediate", "stop")


def test_trials_are_kept_in_postgresql(server: str) -> None:
    fill(Trials(server, "study"))
    check(Trials(server, "study"))
