"""Compilers: found or named, and nothing half-made is kept."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

import pytest
from verified_models import artifact_of, integer_graph

from netsuke.errors import MissingToolError, UsageError, VerificationError
from netsuke.verify import can_link, doctor, link_sizes
from netsuke.verify.cache import cache_folder, cached, digest, prune
from netsuke.verify.cores import core, gcc_flags, zig_flags
from netsuke.verify.toolchain import (
    compile_objects,
    host_compiler,
    host_flags,
    included,
    target_compiler,
    target_flags,
)


@pytest.fixture
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.setenv("NETSUKE_CACHE", str(tmp_path / "cache"))
    cache_folder.cache_clear()
    yield tmp_path / "cache"
    cache_folder.cache_clear()


def everything(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


def test_a_kernel_is_compiled_once(own_cache: Path) -> None:
    compiler = host_compiler()
    files = {
        PurePosixPath("kernels/a.c"): b'#include "a.h"\nint a(void) { return A; }\n',
        PurePosixPath("kernels/a.h"): b"#define A 1\n",
    }
    first = compile_objects(compiler, host_flags(compiler), files)
    made = first[0].stat().st_ino
    again = compile_objects(compiler, host_flags(compiler), files)
    assert again == first
    assert again[0].stat().st_ino == made
    changed = {**files, PurePosixPath("kernels/a.h"): b"#define A 2\n"}
    assert compile_objects(compiler, host_flags(compiler), changed) != first
    unrelated = {**files, PurePosixPath("kernels/b.h"): b"#define B 2\n"}
    assert compile_objects(compiler, host_flags(compiler), unrelated) == first


def test_headers_are_found_through_headers() -> None:
    files = {
        PurePosixPath("a.c"): b'#include "b.h"\n',
        PurePosixPath("k/b.h"): b'  #  include "c.h"\n',
        PurePosixPath("k/c.h"): b'#include "b.h"\n#include <stdint.h>\n',
        PurePosixPath("k/d.h"): b"",
    }
    headers = {path.name: [path] for path in files if path.suffix == ".h"}
    found = included(files, headers, PurePosixPath("a.c"))
    assert [path.name for path in found] == ["a.c", "b.h", "c.h"]


def test_a_full_disk_leaves_nothing_behind(own_cache: Path) -> None:
    def fill(path: Path) -> None:
        path.write_bytes(b"half")
        raise OSError(errno.ENOSPC, "No space left on device")

    with pytest.raises(VerificationError, match="No space left"):
        cached("ab" * 32, ".o", fill)
    assert everything(own_cache) == []


def test_a_refused_file_leaves_nothing_behind(own_cache: Path) -> None:
    compiler = host_compiler()
    with pytest.raises(VerificationError, match="refuses it"):
        compile_objects(compiler, host_flags(compiler), {PurePosixPath("a.c"): b"int 3;"})
    # What zig keeps in its own folder is its affair.
    assert [path for path in everything(own_cache) if own_cache / "zig" not in path.parents] == []


def test_a_home_that_cannot_be_written_is_no_obstacle(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("NETSUKE_CACHE", str(tmp_path / "file" / "cache"))
    cache_folder.cache_clear()
    try:
        assert cache_folder().is_dir()
        assert tmp_path not in cache_folder().parents
    finally:
        cache_folder.cache_clear()


def test_the_least_recently_used_go_first(own_cache: Path) -> None:
    paths = [
        cached(digest(str(number)), ".o", lambda path: path.write_bytes(bytes(100)))
        for number in range(4)
    ]
    for age, path in zip((30, 10, 40, 20), paths, strict=True):
        os.utime(path, (1e9 - age, 1e9 - age))
    prune(200)
    assert [path.exists() for path in paths] == [False, True, False, True]


def test_parts_of_a_key_cannot_run_into_each_other() -> None:
    assert digest("ab", "c") != digest("a", "bc")


def test_a_missing_compiler_is_named_with_the_way_to_get_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from netsuke.verify import toolchain

    monkeypatch.setattr(toolchain, "_find", lambda name: None)
    with pytest.raises(MissingToolError, match="pip install ziglang"):
        target_compiler()
    with pytest.raises(MissingToolError, match="apt install gcc-arm-none-eabi"):
        target_compiler("arm-none-eabi-gcc")
    with pytest.raises(MissingToolError, match="pip install ziglang"):
        host_compiler()
    assert not can_link("cortex-m4")
    with pytest.raises(UsageError, match="does not compile for Cortex-M"):
        target_compiler("tcc")


@pytest.mark.parametrize(
    ("name", "isa", "zig", "gcc"),
    [
        ("cortex-m0plus", "", "-mcpu=cortex_m0plus", "-mfloat-abi=soft"),
        ("cortex-m4", "dsp fpu-sp", "-mcpu=cortex_m4+vfp4d16sp", "-mfpu=fpv4-sp-d16"),
        ("cortex-m4", "dsp", "-mcpu=cortex_m4", "-mfloat-abi=soft"),
        ("cortex-m7", "dsp fpu-dp", "-mcpu=cortex_m7+fp_armv8d16", "-mfpu=fpv5-d16"),
        ("cortex-m33", "dsp fpu-sp", "-mcpu=cortex_m33+dsp+fp_armv8d16sp", "-mfpu=fpv5-sp-d16"),
        ("cortex-m33", "", "-mcpu=cortex_m33", "-mcpu=cortex-m33+nodsp"),
        (
            "cortex-m55",
            "dsp mve",
            "-mcpu=cortex_m55+mve+fp_armv8d16sp",
            "-mcpu=cortex-m55+nomve.fp",
        ),
        ("cortex-m55", "dsp", "-mcpu=cortex_m55", "-mcpu=cortex-m55+nomve"),
    ],
)
def test_the_flags_follow_the_instruction_sets(name: str, isa: str, zig: str, gcc: str) -> None:
    chosen = core(name, frozenset(isa.split()))
    assert zig in zig_flags(chosen)
    assert gcc in gcc_flags(chosen)


@pytest.mark.parametrize("name", ["zig", "arm-none-eabi-gcc"])
def test_no_target_object_fuses_multiply_and_add(name: str) -> None:
    try:
        compiler = target_compiler(name)
    except MissingToolError as error:
        pytest.skip(f"left out: {error}")
    assert "-ffp-contract=off" in target_flags(compiler, core("cortex-m4"))
    sizes = link_sizes(artifact_of(integer_graph()), name)
    assert sizes.weights == artifact_of(integer_graph()).weights
    assert 500 < sizes.code < 8000
    assert sizes.compiler == compiler.version


def test_the_doctor_knows_every_tool() -> None:
    tools = {tool.name: tool for tool in doctor()}
    assert tools["zig"].found
    assert tools["unicorn"].version
    assert {"arm-none-eabi-gcc", "qemu-system-arm", "sanitizers", "torch"} <= set(tools)
    assert all(tool.install for tool in tools.values())
    order = [tool.required for tool in doctor()]
    assert order == sorted(order, reverse=True)
