"""Control groups, on a folder that looks like the kernel's."""

from __future__ import annotations

from pathlib import Path

import pytest

from netsuke.profile.cgroup import make_group


@pytest.fixture
def hierarchy(tmp_path: Path) -> Path:
    (tmp_path / "cgroup.controllers").write_text("cpu memory\n")
    for folder in (tmp_path / "user", tmp_path / "user" / "session"):
        folder.mkdir()
        (folder / "cgroup.subtree_control").write_text("memory\n")
        (folder / "cgroup.procs").write_text("")
    (tmp_path / "user" / "session" / "cgroup.subtree_control").write_text("\n")
    return tmp_path


def test_a_group_is_made_beside_the_own_one(hierarchy: Path) -> None:
    group = make_group(hierarchy, "/user/session")
    assert group is not None and group.folder.parent == hierarchy / "user"
    assert group.peak is None and group.kills == 0
    (group.folder / "memory.peak").write_text("123456\n")
    (group.folder / "memory.events").write_text("low 0\noom 2\noom_kill 1\n")
    assert group.peak == 123456 and group.kills == 1
    assert group.limit(1000) and (group.folder / "memory.max").read_text() == "1000"


def test_without_the_memory_controller_there_is_none(hierarchy: Path) -> None:
    (hierarchy / "user" / "cgroup.subtree_control").write_text("cpu\n")
    assert make_group(hierarchy, "/user/session") is None


def test_the_old_hierarchies_have_none(tmp_path: Path) -> None:
    assert make_group(tmp_path, "/") is None


def test_a_group_that_is_gone_is_removed_silently(hierarchy: Path) -> None:
    group = make_group(hierarchy, "/user/session")
    assert group is not None
    group.remove()
    assert not group.folder.exists()
    group.remove()
