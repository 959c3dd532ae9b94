"""Unicorn's hooks as C functions, compiled for this machine when they are first needed."""

from __future__ import annotations

import ctypes
import functools
from pathlib import Path, PurePosixPath
from typing import Any

from netsuke.errors import MissingToolError, VerificationError
from netsuke.verify.host import SUFFIX
from netsuke.verify.toolchain import compile_objects, host_compiler, host_flags, link


def compiled_hook(name: str) -> Any:
    """A C function of ``hooks.c``, or None where there is no compiler for this machine."""
    library = _library()
    return None if library is None else library[name]


def add_hook(
    emulator: Any, kind: int, function: Any, user: ctypes.Structure, begin: int, end: int
) -> int:
    """Let Unicorn call a C function with a structure; return the hook's handle.

    An empty range (`begin` beyond `end`) means everywhere.
    """
    from unicorn.unicorn_py3.unicorn import uclib

    handle = ctypes.c_size_t()
    add = uclib["uc_hook_add"]  # a fresh object: the package's own has typed arguments
    status = add(
        emulator._uch,
        ctypes.byref(handle),
        ctypes.c_int(kind),
        function,
        ctypes.byref(user),
        ctypes.c_uint64(begin),
        ctypes.c_uint64(end),
    )
    if status:
        raise VerificationError("unicorn", f"refuses a hook (error {status})")
    return handle.value


def remove_hook(emulator: Any, handle: int) -> None:
    """Remove a hook that `add_hook` added; code already translated still calls it."""
    from unicorn.unicorn_py3.unicorn import uclib

    uclib["uc_hook_del"](emulator._uch, ctypes.c_size_t(handle))


@functools.cache
def _library() -> ctypes.CDLL | None:
    try:
        compiler = host_compiler()
    except MissingToolError:
        return None
    source = (Path(__file__).parent / "hooks.c").read_bytes()
    flags = host_flags(compiler)
    objects = compile_objects(compiler, flags, {PurePosixPath("hooks.c"): source})
    shared = [*flags, "-shared", *(["-nostdlib"] if compiler.family == "zig" else [])]
    path = link(compiler, shared, objects, SUFFIX, "the hooks")
    try:
        return ctypes.CDLL(str(path))
    except OSError as error:
        raise VerificationError("the hooks", f"cannot be loaded: {error}") from None
