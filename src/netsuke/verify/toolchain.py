"""Finding compilers and compiling with them; nothing half-made ever gets a final name."""

from __future__ import annotations

import functools
import importlib.util
import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from netsuke.errors import MissingToolError, UsageError, VerificationError
from netsuke.verify.cache import cache_folder, cached, digest
from netsuke.verify.cores import Core, gcc_flags, zig_flags

BARE = Path(__file__).parent / "bare"
"""C of our own for a target without a C library: start-up, memory functions, ``string.h``."""

LANGUAGE = ("-std=c99", "-ffp-contract=off", "-g0")
"""Flags that fix what the C means; without the second, host and target may round differently."""

TIMEOUT = 600.0
"""Seconds after which a compiler counts as hung."""


@dataclass(frozen=True, slots=True)
class Compiler:
    """One C compiler.

    Attributes
    ----------
    name
        ``cc``, ``gcc``, ``clang``, ``zig`` or ``arm-none-eabi-gcc``.
    command
        How it is called.
    version
        What it says of itself; part of every key and of the certificate.
    family
        ``"gcc"``, ``"clang"`` or ``"zig"``: how its flags are spelled.
    """

    name: str
    command: tuple[str, ...]
    version: str
    family: str


def host_compiler(name: str | None = None) -> Compiler:
    """Return a compiler for this machine: the one asked for, else the first that is there.

    Raises
    ------
    MissingToolError
        When there is none, not even ``ziglang``.
    """
    for candidate in (name,) if name else ("cc", "gcc", "clang", "zig"):
        found = _find(candidate)
        if found:
            return found
    if name:
        raise MissingToolError(name, "to compile for this machine", _install(name))
    raise MissingToolError("A C compiler", "to compile for this machine", _install("zig"))


def sanitizing_compiler() -> Compiler | None:
    """A host compiler whose address and undefined-behaviour sanitizers link, if there is one."""
    for candidate in ("gcc", "clang", "cc"):
        found = _find(candidate)
        if found and _sanitizes(found):
            return found
    return None


def find_compiler(name: str) -> Compiler | None:
    """A compiler by its name, or None when it is not on the PATH."""
    return _find(name)


def target_compiler(name: str | None = None) -> Compiler:
    """Return a compiler for Cortex-M: ``zig`` (the default) or ``arm-none-eabi-gcc``.

    Raises
    ------
    MissingToolError
        When it is not installed.
    """
    for candidate in (name,) if name else ("zig", "arm-none-eabi-gcc"):
        if candidate not in ("zig", "arm-none-eabi-gcc"):
            raise UsageError(f"{candidate} does not compile for Cortex-M; try zig")
        found = _find(candidate)
        if found:
            return found
    wanted = name or "zig"
    raise MissingToolError(wanted, "to compile for Cortex-M", _install(wanted))


LEVELS = {"gcc": "-O2", "clang": "-Os", "zig": "-Os"}
"""How much a family of compilers optimizes for Cortex-M. At -O2 clang unrolls loops that are not
the hot ones: 17 to 60 % more code for no fewer instructions (decision 0012)."""


def target_flags(compiler: Compiler, core: Core, optimize: str | None = None) -> tuple[str, ...]:
    """All flags with which a compiler makes an object for a core."""
    own = zig_flags(core) if compiler.family == "zig" else gcc_flags(core)
    return (
        *own,
        *LANGUAGE,
        optimize or LEVELS[compiler.family],
        "-fomit-frame-pointer",
        "-ffunction-sections",
        "-fdata-sections",
        "-fno-unwind-tables",
        "-fno-asynchronous-unwind-tables",
        "-isystem",
        str(BARE),
    )


def host_flags(compiler: Compiler, optimize: str = "-O3") -> tuple[str, ...]:
    """All flags with which a compiler makes an object for a shared library on this machine."""
    flags = (*LANGUAGE, optimize, "-fPIC", "-fvisibility=default")
    if compiler.family != "zig":
        return flags
    # Without a C library zig needs neither a second nor the headers of this machine.
    return (*flags, "-mcpu=baseline", "-fno-sanitize=all", "-isystem", str(BARE))


def compile_objects(
    compiler: Compiler, flags: Sequence[str], files: Mapping[PurePosixPath, bytes]
) -> list[Path]:
    """Compile every ``.c`` of a project and return the objects, sorted by source path.

    Each object is kept under a key of its source, of the headers it includes, of compiler and
    flags, so that a kernel that many projects share is compiled once.

    Raises
    ------
    VerificationError
        With the compiler's words, when it refuses a file.
    """
    sources = sorted(path for path in files if path.suffix == ".c")
    headers: dict[str, list[PurePosixPath]] = {}
    for path in sorted(files):
        if path.suffix == ".h":
            headers.setdefault(path.name, []).append(path)
    with tempfile.TemporaryDirectory(prefix="netsuke-build-") as folder:
        root = Path(folder)
        _lay_out(root, files)
        folders = sorted({path.parent for path in files if path.suffix == ".h"} | {PurePosixPath()})
        include = [part for path in folders for part in ("-I", str(path))]

        def one(source: PurePosixPath) -> Path:
            needed = included(files, headers, source)
            key = digest(
                compiler.version,
                _bare_header(),
                *flags,
                str(source),
                *(part for path in needed for part in (path.name, files[path])),
            )
            arguments = [*flags, *include, "-c", str(source)]
            return cached(
                key, ".o", lambda path: call(compiler, arguments, path, str(source), root)
            )

        with ThreadPoolExecutor(max_workers=os.cpu_count() or 1) as pool:
            return list(pool.map(one, sources))


def link(
    compiler: Compiler,
    flags: Sequence[str],
    objects: Sequence[Path],
    suffix: str,
    place: str,
    libraries: Sequence[str] = (),
) -> Path:
    """Link objects and return the result; `flags` must not name files that change."""
    key = digest(compiler.version, *flags, *libraries, *(path.name for path in objects))
    arguments = [*flags, *map(str, objects), *libraries]
    return cached(key, suffix, lambda path: call(compiler, arguments, path, place))


def call(
    compiler: Compiler,
    arguments: Sequence[str],
    output: Path,
    place: str,
    folder: Path | None = None,
) -> None:
    """Run a compiler that writes one file; relative paths among its arguments start at `folder`.

    Raises
    ------
    VerificationError
        When it fails or hangs.
    """
    environment = {**os.environ, **_zig_folders()} if compiler.family == "zig" else None
    command = [*compiler.command, *arguments, "-o", str(output)]
    try:
        done = subprocess.run(
            command,
            capture_output=True,
            timeout=TIMEOUT,
            env=environment,
            cwd=folder,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise VerificationError(place, f"{compiler.name} did not end in {TIMEOUT:g} s") from None
    if done.returncode or not output.is_file() or output.stat().st_size == 0:
        words = done.stderr.decode(errors="replace").strip().splitlines()
        shown = "\n".join(words[:20]) or f"exit status {done.returncode}"
        raise VerificationError(place, f"{compiler.name} ({compiler.version}) refuses it:\n{shown}")


_INCLUDE = re.compile(rb'^[ \t]*#[ \t]*include[ \t]*"([^"]+)"', re.MULTILINE)


def included(
    files: Mapping[PurePosixPath, bytes],
    headers: Mapping[str, Sequence[PurePosixPath]],
    source: PurePosixPath,
) -> list[PurePosixPath]:
    """A source and every header of the project that it includes, directly or not, sorted."""
    seen, waiting = {source}, [source]
    while waiting:
        for name in _INCLUDE.findall(files[waiting.pop()]):
            bare = PurePosixPath(name.decode(errors="replace")).name
            fresh = [path for path in headers.get(bare, ()) if path not in seen]
            seen.update(fresh)
            waiting.extend(fresh)
    return sorted(seen)


@functools.cache
def _bare_header() -> bytes:
    return (BARE / "string.h").read_bytes()


def _lay_out(root: Path, files: Mapping[PurePosixPath, bytes]) -> None:
    try:
        for path, data in files.items():
            if path.suffix in (".c", ".h"):
                place = root / path
                place.parent.mkdir(parents=True, exist_ok=True)
                place.write_bytes(data)
    except OSError as error:
        raise VerificationError(str(root), f"cannot be written: {error}") from None


def _zig_folders() -> dict[str, str]:
    """Where zig keeps its own cache: as the user says, else inside ours."""
    if "ZIG_GLOBAL_CACHE_DIR" in os.environ:
        return {}
    folder = str(cache_folder() / "zig")
    return {"ZIG_GLOBAL_CACHE_DIR": folder, "ZIG_LOCAL_CACHE_DIR": folder}


def _install(name: str) -> str:
    return {
        "zig": "pip install ziglang",
        "arm-none-eabi-gcc": "apt install gcc-arm-none-eabi",
    }.get(name, f"apt install {name if name != 'cc' else 'gcc'}, or pip install ziglang")


@functools.cache
def _find(name: str) -> Compiler | None:
    if name == "zig":
        return _find_zig()
    path = shutil.which(name)
    if path is None:
        return None
    words = _output([path, "--version"])
    if not words:
        return None
    family = "clang" if "clang" in words[0].lower() else "gcc"
    return Compiler(name, (path,), words[0], family)


def _find_zig() -> Compiler | None:
    package = importlib.util.find_spec("ziglang")
    if package is None or not package.submodule_search_locations:
        path = shutil.which("zig")
    else:
        folder = Path(next(iter(package.submodule_search_locations)))
        path = shutil.which("zig", path=str(folder))
    words = _output([path, "version"]) if path else []
    return Compiler("zig", (str(path), "cc"), f"zig {words[0]}", "zig") if words else None


def _output(command: Sequence[str]) -> list[str]:
    try:
        done = subprocess.run(command, capture_output=True, timeout=60, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return []
    return done.stdout.decode(errors="replace").splitlines() if done.returncode == 0 else []


SANITIZE = ("-fsanitize=address,undefined", "-fno-sanitize-recover=all")


@functools.cache
def _sanitizes(compiler: Compiler) -> bool:
    with tempfile.TemporaryDirectory(prefix="netsuke-probe-") as folder:
        source = Path(folder) / "probe.c"
        source.write_text("int main(void) { return 0; }\n")
        try:
            call(compiler, [*SANITIZE, str(source)], Path(folder) / "probe", "probe")
        except VerificationError:
            return False
        return _output([str(Path(folder) / "probe")]) == []
