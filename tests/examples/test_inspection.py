"""The inspection example: the same verdicts in NumPy, on this machine and on a Cortex-M4."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import inspection
import numpy as np
import pytest
import verdict

from netsuke.codegen import Artifact, compile_graph
from netsuke.data import Normalisation
from netsuke.devices import device
from netsuke.errors import UsageError, VerificationError
from netsuke.ir import Graph, GraphBuilder, Quant
from netsuke.ops import Dense, Reshape
from netsuke.verify.application import EmulatedApplication, HostApplication

UNIT = Normalisation("unit", np.float32(1 / 255), np.float32(0))


def every_pixel_counts(shape: tuple[int, ...], dtype: str = "int8") -> Graph:
    """Two scores that depend on each element of the input."""
    rng = np.random.default_rng(0)
    size, build = int(np.prod(shape)), GraphBuilder("scores")
    scheme = "unsigned" if dtype == "uint8" else "signed"
    zero = 3 if dtype == "uint8" else -120
    x = build.input("x", shape, dtype, Quant((1 / 250,), (zero,), scheme=scheme))
    w = build.constant("w", rng.integers(-127, 128, (2, size)).astype(np.int8), Quant((0.01,)))
    b = build.constant("b", np.zeros(2, np.int32))
    flat = build.one(Reshape((size,)), x, name="flat", quant=build.tensors["x"].quant)
    quant = Quant((0.02 * size**0.5 / 10,), (0,))
    return build.build([build.one(Dense(), flat, w, b, name="y", quant=quant)])


def compiled(graph: Graph) -> Artifact:
    return compile_graph(graph, device("generic-cortex-m4-256k"))


@pytest.mark.parametrize(
    ("shape", "shrink", "windows"),
    [((9, 9, 3), 1, (2, 3)), ((3, 9, 9), 2, (1, 2)), ((7, 7, 3), 3, (1, 1))],
)
def test_the_input_and_the_score_are_those_of_numpy(
    shape: tuple[int, ...], shrink: int, windows: tuple[int, int]
) -> None:
    graph = every_pixel_counts(shape)
    frame = (18 if windows[0] * windows[1] > 1 else 21, 21)
    found = verdict.inspection_for(graph, UNIT, frame, windows, shrink)
    assert len(found.places) == windows[0] * windows[1]
    artifact = compiled(graph)
    host = HostApplication(artifact, verdict.sources(found))
    board = EmulatedApplication(artifact, verdict.sources(found), verdict.ENTRIES)
    words = np.random.default_rng(1).integers(0, 1 << 16, (3, *frame)).astype(np.uint16)
    words[0], words[1, ::2] = 0xFFFF, 0
    inputs, scores = found.windows(words), found.scores(graph, words)
    assert len(set(scores.tolist())) > 1
    for frame_words, windows_meant, score in zip(words, inputs, scores, strict=True):
        for place in (host, board):
            place.write(verdict.FRAME, frame_words.tobytes())
        for number, meant in enumerate(windows_meant):
            board.call("inspect_load", number)
            at = board.call("model_input", 0) & 0xFFFFFFFF
            held = bytes(board.emulator.mem_read(at, meant.nbytes))
            assert held == np.ascontiguousarray(meant).tobytes()
        assert board.call("inspect_frame") == host.call("inspect_frame") == score
        assert board.read(verdict.FRAME, frame_words.nbytes) == frame_words.tobytes()


def test_the_verdict_turns_at_the_threshold() -> None:
    graph = every_pixel_counts((9, 9, 3))
    found = verdict.inspection_for(graph, UNIT, (9, 9), (1, 1), 1)
    for threshold in (-300, -1, 0, 41):
        sources = verdict.sources(replace(found, threshold=threshold))
        host = HostApplication(compiled(graph), sources)
        told = [host.call("inspect_verdict", threshold + step) for step in (-1, 0, 1)]
        assert told == [0, 1, 1]
        meant = replace(found, threshold=threshold).verdicts(threshold + np.array([-1, 0, 1]))
        assert meant.tolist() == [False, True, True]


def test_a_network_that_cannot_inspect_is_refused() -> None:
    good = every_pixel_counts((9, 9, 3))
    with pytest.raises(UsageError, match="do not cover"):
        verdict.inspection_for(good, UNIT, (9, 40), (1, 3), 1)
    with pytest.raises(UsageError, match="do not cover"):
        verdict.inspection_for(good, UNIT, (8, 9), (1, 1), 1)
    with pytest.raises(UsageError, match="not a square of three channels"):
        verdict.inspection_for(every_pixel_counts((9, 8, 3)), UNIT, (9, 9), (1, 1), 1)
    with pytest.raises(UsageError, match="not a square of three channels"):
        verdict.inspection_for(every_pixel_counts((27,)), UNIT, (9, 9), (1, 1), 1)


def test_drawn_boards_from_frame_to_verdict(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    network = "lenet?width=0.2&size=24&channels=3&classes=2"
    command = ["--out", str(tmp_path / "out"), "--model", network, "--shrink", "2"]
    command += ["--frame", "80x64", "--windows", "2x2", "--epochs", "1", "--boards", "3"]
    assert inspection.main([*command, "--frames", "12", "--prove", "2"]) == 0
    told = capsys.readouterr().out
    record = json.loads((tmp_path / "out" / "inspection.json").read_text())
    assert record["proved_frames"] == 2 and record["instructions"] > 100_000
    parts = record["ram_parts"]
    assert parts["model_arena_frame"] == 2 * 80 * 64 and parts["stack"] > 0
    assert record["ram"] == sum(parts.values()) <= 256 << 10
    assert record["validation"]["recall"] >= 0.99 > record["validation"]["recall_bound"]
    assert f"{record['ram']:,} B of 262,144 B" in told
    for name in ("inspect.c", "inspect.h", "inspect_config.h", "CMakeLists.txt", "model/model.c"):
        assert (tmp_path / "out" / "application" / name).is_file()
    assert (tmp_path / "out" / "frames.png").stat().st_size > 1000


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["--data", "/nowhere.zip"], 4),
        (["--model", "no_such_network"], 4),
        (["--recall", "0"], 2),
        (["--shrink", "0"], 2),
        (["--device", "no-such-board"], 4),
        (["--device", "arduino-uno"], 2),
        (["--frame", "640x480"], 2),
        (["--windows", "1x2"], 2),
        (["--model", "lenet"], 2),
    ],
)
def test_a_wrong_call_is_one_error(
    tmp_path: Path, arguments: list[str], code: int, capsys: pytest.CaptureFixture[str]
) -> None:
    assert inspection.main([*arguments, "--out", str(tmp_path / "out")]) == code
    assert capsys.readouterr().err.count("error:") == 1
    assert not (tmp_path / "out").exists()


def test_a_score_that_differs_is_no_proof(monkeypatch: pytest.MonkeyPatch) -> None:
    graph = every_pixel_counts((9, 9, 3))
    found = verdict.inspection_for(graph, UNIT, (9, 9), (1, 1), 1)
    words = np.random.default_rng(1).integers(0, 1 << 16, (2, 9, 9)).astype(np.uint16)
    assert inspection.prove(compiled(graph), found, graph, words).frames == 2
    text = (verdict.FIRMWARE / "inspect.c").read_text()
    for right, wrong, problem in (
        ("((word >> 11) << 3)", "((word >> 11) << 2)", "scores"),
        ("highest >= INSPECT", "highest > INSPECT", "verdicts"),
        (
            "int32_t highest = INT32_MIN;",
            "model_arena_frame[3]++; int32_t highest = INT32_MIN;",
            "its frame",
        ),
    ):
        assert right in text
        score = int(found.scores(graph, words)[0])
        broken = verdict.sources(replace(found, threshold=score))
        name = next(path for path in broken if path.name == "inspect.c")
        broken[name] = text.replace(right, wrong).encode()
        monkeypatch.setattr(inspection, "sources", lambda _, files=broken: files)
        with pytest.raises(VerificationError, match=problem):
            inspection.prove(compiled(graph), replace(found, threshold=score), graph, words)
