"""Calls single C kernels from Python: compiled once a source, with the undefined-behaviour
sanitizer, between guard bytes."""

from __future__ import annotations

import ctypes
import functools
import hashlib
import os
import re
import subprocess
import tempfile
from pathlib import Path, PurePosixPath

import numpy as np

from netsuke.codegen.sources import PACKAGE, header_of, kernel_files
from netsuke.ir import Array, Kernel
from netsuke.verify.toolchain import host_compiler, sanitizing_compiler

FLAGS = [
    "-std=c99",
    "-O1",
    "-Wall",
    "-Wextra",
    "-Wconversion",
    "-Werror",
    "-fPIC",
    "-shared",
    "-ffp-contract=off",
]
UNDEFINED = ["-fsanitize=undefined", "-fno-sanitize-recover=all"]
GUARD = 64
C_SCALARS = {
    "int8_t": ctypes.c_int8,
    "uint8_t": ctypes.c_uint8,
    "int16_t": ctypes.c_int16,
    "uint16_t": ctypes.c_uint16,
    "int32_t": ctypes.c_int32,
    "uint32_t": ctypes.c_uint32,
    "int64_t": ctypes.c_int64,
    "float": ctypes.c_float,
}


@functools.cache
def library(source: str) -> ctypes.CDLL:
    """The kernel source as a shared library, cached by content."""
    files = kernel_files([source])
    compiler = sanitizing_compiler()
    flags = [*FLAGS, *UNDEFINED] if compiler else FLAGS
    compiler = compiler or host_compiler()
    key = (compiler.version, flags, sorted(files.items()))
    digest = hashlib.sha256(repr(key).encode()).hexdigest()[:24]
    cache = Path(tempfile.gettempdir()) / f"netsuke-kernels-{os.getuid()}"
    cache.mkdir(mode=0o700, exist_ok=True)
    built = cache / f"{digest}.so"
    if not built.exists():
        with tempfile.TemporaryDirectory(dir=cache) as folder:
            for path, content in files.items():
                (Path(folder) / path.name).write_bytes(content)
            name = PurePosixPath(source).name
            output = Path(folder) / "out.so"
            command = [*compiler.command, *flags, "-I", folder, str(Path(folder) / name)]
            done = subprocess.run(
                [*command, "-o", str(output)], capture_output=True, text=True, check=False
            )
            assert done.returncode == 0, done.stderr
            os.replace(output, built)
    return ctypes.CDLL(str(built))


@functools.cache
def struct_fields(source: str, struct: str) -> tuple[tuple[str, str, bool], ...]:
    """(name, C type, is pointer) of each field of a parameter struct, read from the header."""
    folder = PACKAGE / "ops" / PurePosixPath(source).parent
    texts = [path.read_text() for path in sorted(folder.glob("*.h"))]
    texts.insert(0, (folder / header_of(source)).read_text())
    for text in texts:
        match = re.search(r"typedef struct \{(?P<body>[^}]*)\}\s*" + struct + ";", text)
        if match:
            break
    else:
        raise AssertionError(f"{struct} is not declared beside {source}")
    fields = []
    body = re.sub(r"/\*.*?\*/|//[^\n]*", "", match["body"], flags=re.DOTALL)
    for declaration in body.split(";"):
        words = declaration.split()
        if not words:
            continue
        kind = next(word for word in words if word != "const")
        names = declaration.split(kind, 1)[1]
        fields += [(n.replace("*", "").strip(), kind, "*" in n) for n in names.split(",")]
    return tuple(fields)


def make_struct(kernel: Kernel, keep: list[object]) -> ctypes.Structure:
    """The kernel's parameters as a C struct; unknown or missing fields fail."""
    assert kernel.struct
    fields = struct_fields(kernel.source, kernel.struct)
    names = {name for name, _, _ in fields}
    assert set(kernel.parameters) <= names, set(kernel.parameters) - names
    kinds = [(n, ctypes.c_void_p if pointer else C_SCALARS[kind]) for n, kind, pointer in fields]
    built = type(kernel.struct, (ctypes.Structure,), {"_fields_": kinds})()
    for name, kind, pointer in fields:
        if name not in kernel.parameters:
            continue
        value = kernel.parameters[name]
        if pointer:
            array = np.ascontiguousarray(value)
            assert kind == "void" or str(array.dtype) in (
                kind.removesuffix("_t"),
                "float32" if kind == "float" else "",
                "bool",
            ), f"{name} is {array.dtype}, the struct has {kind}"
            keep.append(array)
            value = array.ctypes.data
        elif kind == "float":
            limit = float(np.finfo(np.float32).max)
            value = min(max(float(value), -limit), limit)
        setattr(built, name, value)
    keep.append(built)
    return built


class Guarded:
    """Bytes between guards, 16-aligned."""

    def __init__(self, size: int) -> None:
        self.raw = np.full(size + 2 * GUARD + 16, 0xA5, np.uint8)
        self.start = (-self.raw.ctypes.data) % 16 + GUARD
        self.size = size

    @property
    def address(self) -> int:
        return self.raw.ctypes.data + self.start

    def write(self, array: Array) -> None:
        data = np.frombuffer(np.ascontiguousarray(array).tobytes(), np.uint8)
        self.raw[self.start : self.start + data.size] = data

    def read(self, shape: tuple[int, ...], dtype: str) -> Array:
        size = int(np.prod(shape)) * np.dtype(dtype).itemsize
        data = self.raw[self.start : self.start + size].tobytes()
        return np.frombuffer(data, dtype).reshape(shape).copy()

    def check(self) -> None:
        assert (self.raw[: self.start] == 0xA5).all(), "wrote before the buffer"
        assert (self.raw[self.start + self.size :] == 0xA5).all(), "wrote behind the buffer"


def call(
    kernel: Kernel,
    inputs: list[Array],
    constants: list[bool],
    outputs: list[tuple[tuple[int, ...], str]],
    inplace: tuple[int, int] | None = None,
) -> list[Array]:
    """Call a kernel once; `inplace` makes an input and an output share their address."""
    keep: list[object] = []
    arguments: list[object] = []
    if kernel.struct is not None:
        arguments.append(ctypes.byref(make_struct(kernel, keep)))
    guards: list[Guarded] = []
    given: list[Guarded | None] = []
    for index, array in enumerate(inputs):
        data = kernel.constants.get(index, array) if constants[index] else array
        if data is None:
            given.append(None)
            continue
        room = data.nbytes
        if inplace and inplace[0] == index:
            shape, dtype = outputs[inplace[1]]
            room = max(room, int(np.prod(shape)) * np.dtype(dtype).itemsize)
        guard = Guarded(room)
        guard.write(data)
        guards.append(guard)
        given.append(guard)
        arguments.append(ctypes.c_void_p(guard.address))
    results = []
    for number, (shape, dtype) in enumerate(outputs):
        if inplace and inplace[1] == number:
            guard = given[inplace[0]]
            assert guard is not None
        else:
            guard = Guarded(int(np.prod(shape)) * np.dtype(dtype).itemsize)
            guards.append(guard)
        results.append((guard, shape, dtype))
        arguments.append(ctypes.c_void_p(guard.address))
    if kernel.scratch is not None:
        guard = Guarded(kernel.scratch)
        guards.append(guard)
        arguments.append(ctypes.c_void_p(guard.address if kernel.scratch else None))
    function = getattr(library(kernel.source), kernel.function)
    function.restype = None
    function(*arguments)
    for guard in guards:
        guard.check()
    return [guard.read(shape, dtype) for guard, shape, dtype in results]
