"""The sketch that reads a row of features and prints its class."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path, PurePosixPath

import numpy as np
import pytest
from sklearn.datasets import load_iris
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import netsuke as nk
from netsuke.ir import interpret_batch

STUB = """#pragma once
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#define PROGMEM
class __FlashStringHelper;
struct Port {
  void begin(long) {}
  void setTimeout(unsigned long) {}
  float parseFloat() { float value; if (scanf("%f%*[ ,\\n]", &value) != 1) throw 0; return value; }
  void print(const char *text) { printf("%s", text); }
  void print(char text) { printf("%c", text); }
  void print(double value, int digits) { printf("%.*f", digits, value); }
  void print(double value) { printf("%g", value); }
  void print(int32_t value) { printf("%ld", (long)value); }
  void println(const __FlashStringHelper *text) { printf("%s\\n", (const char *)text); }
  void println() { printf("\\n"); }
};
extern Port Serial;
"""
AVR_STUB = """#pragma once
#include <avr/pgmspace.h>
#include <stdint.h>
#include <string.h>
class __FlashStringHelper;
struct Port {
  void begin(long);
  void setTimeout(unsigned long);
  float parseFloat();
  void print(char);
  void print(double, int = 2);
  void print(int32_t);
  void println(const __FlashStringHelper *);
  void println();
};
extern Port Serial;
"""
MAIN = """
Port Serial;
int main() { setup(); try { for (;;) loop(); } catch (int) { return 0; } }
"""


def sketch(tmp_path: Path, estimator, rows: np.ndarray) -> Path:
    artifact = nk.compile(estimator, "arduino-uno", rows, target="arduino")
    return artifact.write(tmp_path / "library")


def iris() -> tuple[np.ndarray, np.ndarray]:
    x, y = load_iris(return_X_y=True)
    return x, np.array(['set"osa', "versi\\color", "virginica"])[y]


@pytest.mark.skipif(shutil.which("g++") is None, reason="g++ is missing: no sketch is run")
def test_the_sketch_prints_the_classes_that_python_predicts(tmp_path: Path) -> None:
    x, y = iris()
    model = make_pipeline(StandardScaler(), LogisticRegression()).fit(x, y)
    folder = sketch(tmp_path, model, x)
    printed = run_on_host(folder, tmp_path, x).splitlines()
    graph = nk.load(model, samples=x)
    quant = graph.tensors["features"].quant
    assert quant is not None
    stored = np.stack([quant.quantize(row) for row in x.astype(np.float32)])
    expected = np.array(["set_osa", "versi_color", "virginica"])[
        interpret_batch(graph, stored)[0][:, 0]
    ]
    assert printed == expected.tolist()
    assert (expected == np.char.replace(np.char.replace(y, '"', "_"), "\\", "_")).mean() > 0.9


@pytest.mark.skipif(shutil.which("g++") is None, reason="g++ is missing: no sketch is run")
def test_a_regressor_prints_its_prediction(tmp_path: Path) -> None:
    x, _ = iris()
    target = x[:, 0] * 3.0 - x[:, 2]
    model = Ridge(alpha=1e-3).fit(x, target)
    printed = run_on_host(sketch(tmp_path, model, x), tmp_path, x)
    predicted = np.array([float(line) for line in printed.splitlines()])
    np.testing.assert_allclose(predicted, target, atol=0.12)


def run_on_host(folder: Path, tmp_path: Path, rows: np.ndarray) -> str:
    (tmp_path / "Arduino.h").write_text(STUB)
    text = (folder / "examples/Features/Features.ino").read_text()
    (tmp_path / "sketch.cpp").write_text('#include "Arduino.h"\n' + text + MAIN)
    objects = []
    for source in sorted((folder / "src").rglob("*.c")):
        objects.append(tmp_path / f"{source.stem}.o")
        command = ["gcc", "-std=c99", "-c", str(source), "-o", str(objects[-1])]
        subprocess.run([*command, f"-I{folder}/src/kernels"], check=True)
    program = tmp_path / "sketch"
    command = ["g++", "-w", f"-I{tmp_path}", f"-I{folder}/src", "-o", str(program)]
    subprocess.run([*command, str(tmp_path / "sketch.cpp"), *map(str, objects)], check=True)
    fed = "\n".join(",".join(f"{value:.9g}" for value in row) for row in rows)
    done = subprocess.run([str(program)], input=fed, capture_output=True, text=True, check=True)
    return done.stdout


@pytest.mark.skipif(shutil.which("avr-g++") is None, reason="avr-g++ is missing: no AVR sketch")
@pytest.mark.parametrize("name", ["Features", "Run"])
def test_sketches_compile_for_an_uno_without_a_warning(tmp_path: Path, name: str) -> None:
    x, y = iris()
    folder = sketch(tmp_path, LogisticRegression(max_iter=500).fit(x, y), x)
    header = AVR_STUB + "unsigned long micros();\nvoid delay(int);\n"
    header = header.replace("void print(char);", "void print(char);\n  void print(const char *);")
    header = header.replace("print(int32_t);", "print(unsigned long);\n  void print(uint8_t);")
    (tmp_path / "Arduino.h").write_text(header)
    text = (folder / f"examples/{name}/{name}.ino").read_text()
    (tmp_path / "sketch.cpp").write_text('#include "Arduino.h"\n' + text)
    flags = ["-std=gnu++11", "-Os", "-mmcu=atmega328p", "-Wall", "-Wextra", "-Werror"]
    command = ["avr-g++", *flags, f"-I{tmp_path}", f"-I{folder}/src", "-c"]
    subprocess.run(
        [*command, str(tmp_path / "sketch.cpp"), "-o", str(tmp_path / "sketch.o")], check=True
    )


def test_a_network_gets_no_sketch_of_features(tmp_path: Path) -> None:
    artifact = nk.compile("lenet?width=0.5", "nucleo-f446re", target="arduino")
    names = set(artifact.files)
    assert PurePosixPath("examples/Run/Run.ino") in names
    assert PurePosixPath("examples/Features/Features.ino") not in names
    assert PurePosixPath("src/model_features.h") not in names
