"""Programs under observation: their phases, true peaks and ends."""

from __future__ import annotations

import functools
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from netsuke.errors import UsageError
from netsuke.profile import Job, events, observe, phase, report_metric, run

MB = 1_000_000
TRANSIENT = """
from netsuke.profile import phase, report_metric
with phase("small"):
    a = bytearray(20 * 1000 * 1000); del a
with phase("large"):
    a = bytearray(200 * 1000 * 1000); del a
    with phase("inner"):
        a = bytearray(60 * 1000 * 1000); del a
report_metric("accuracy", 0.5)
report_metric("accuracy", 0.75)
"""


def script(folder: Path, text: str) -> tuple[str, ...]:
    path = folder / "program.py"
    path.write_text(text)
    return ("python", str(path))


def test_each_phase_has_its_own_true_peak_however_rare_the_samples(tmp_path: Path) -> None:
    profile = observe(Job(script(tmp_path, TRANSIENT), repeat=2, interval=30.0))
    assert profile.done and len(profile.runs) == 2
    assert profile.phase_names == ("small", "large", "inner")
    base = profile.runs[0].phases[0].peak - 20 * MB
    assert profile.peak_of("large") == pytest.approx(base + 200 * MB, abs=8 * MB)
    assert profile.peak_of("inner") == pytest.approx(base + 60 * MB, abs=8 * MB)
    assert profile.peak == pytest.approx(profile.peak_of("large"), rel=0.02)
    assert profile.peak_phase == "large"
    assert profile.base == pytest.approx(base, abs=8 * MB)
    assert profile.missed > 0.5
    assert profile.runs[0].sampled_peak < base + 100 * MB  # a sample every 30 s sees nothing
    assert profile.metric("accuracy").mean == 0.75
    assert all(p.exact and p.whole for p in profile.runs[0].phases)


def test_each_run_knows_its_number_and_may_seed_itself(tmp_path: Path) -> None:
    text = """
import os
from netsuke.profile import report_metric
report_metric("seed", int(os.environ["NETSUKE_RUN"]))
"""
    profile = observe(Job(script(tmp_path, text), repeat=3))
    assert [run.metrics["seed"] for run in profile.runs] == [0.0, 1.0, 2.0]


def test_lines_of_output_begin_phases_of_programs_that_cannot_be_edited(tmp_path: Path) -> None:
    text = """
import time
print("step 1"); a = bytearray(150_000_000); del a
print("evaluating"); time.sleep(0.05); a = bytearray(50_000_000); del a
print("accuracy: 0.9768")
time.sleep(0.05)
"""
    job = Job(
        script(tmp_path, text),
        repeat=1,
        lines={"train": "^step", "evaluate": "^evaluating"},
        metrics={"accuracy": r"accuracy: ([\d.]+)"},
    )
    profile = observe(job)
    assert profile.phase_names == ("train", "evaluate")
    assert profile.metric("accuracy").mean == 0.9768
    assert profile.wall("evaluate").mean >= 0.09
    assert profile.peak_of("evaluate") < profile.peak + 1  # and within it what came later, too
    assert profile.peak > 150 * MB


def test_calls_of_functions_are_phases(tmp_path: Path) -> None:
    text = """
class Net:
    def fit(self):
        self.x = bytearray(100_000_000)
        del self.x
def evaluate():
    raise ValueError
Net().fit()
try:
    evaluate()
except ValueError:
    pass
"""
    calls = {"train": "Net.fit", "judge": "__main__:evaluate"}
    profile = observe(Job(script(tmp_path, text), repeat=1, calls=calls))
    assert profile.phase_names == ("train", "judge")
    assert profile.peak_of("train") > 100 * MB > profile.peak_of("judge")


def test_a_run_that_is_killed_leaves_its_partial_timeline(tmp_path: Path) -> None:
    text = """
import os, signal, time
from netsuke.profile import phase
with phase("train"):
    time.sleep(0.3)
    os.kill(os.getpid(), signal.SIGSEGV)
"""
    profile = observe(Job(script(tmp_path, text), repeat=3, interval=0.02))
    assert len(profile.runs) == 1, "a program that fails is not run again"
    (only,) = profile.runs
    assert (only.status, only.code) == ("killed", -signal.SIGSEGV)
    assert len(only.samples) > 5 and not only.phases[0].whole
    assert only.phases[0].wall >= 0.25 and only.peak > 0


@pytest.mark.parametrize(
    ("text", "status", "code"),
    [
        ("import sys; sys.exit(3)", "failed", 3),
        ("raise MemoryError", "out of memory", 1),
        ("import time; time.sleep(60)", "timeout", -signal.SIGTERM),
    ],
)
def test_the_end_of_a_run_is_named(tmp_path: Path, text: str, status: str, code: int) -> None:
    profile = observe(Job(script(tmp_path, text), repeat=2, timeout=1.5 if "sleep" in text else 60))
    assert (profile.runs[-1].status, profile.runs[-1].code) == (status, code)


def test_memory_that_the_kernel_refuses_is_named(tmp_path: Path) -> None:
    text = """
import resource
resource.setrlimit(resource.RLIMIT_DATA, (100 << 20, 100 << 20))
x = bytearray(200 << 20)
"""
    profile = observe(Job(script(tmp_path, text), repeat=1))
    assert profile.runs[0].status == "out of memory"
    assert "MemoryError" in profile.runs[0].tail


def test_children_are_counted_in_the_tree(tmp_path: Path) -> None:
    text = """
import subprocess, sys, time
code = "x = bytearray(80_000_000); import time; time.sleep(0.5)"
both = [subprocess.Popen([sys.executable, "-c", code]) for _ in range(2)]
for child in both: child.wait()
"""
    profile = observe(Job(script(tmp_path, text), repeat=1, interval=0.02))
    (only,) = profile.runs
    assert only.processes == 3 and only.tree_source in ("sampled", "cgroup")
    assert 80 * MB < only.peak < 130 * MB
    assert only.tree_peak > 160 * MB


def wait_for_the_end_of(pid: int) -> None:
    """A process that is killed takes a moment to go, and stays a zombie where nobody waits."""
    for _ in range(200):
        try:
            state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
        except (OSError, IndexError):
            return
        if state == "Z":
            return
        time.sleep(0.05)
    raise AssertionError(f"process {pid} still lives")


def test_what_a_program_leaves_behind_does_not_run_beside_the_next_one(tmp_path: Path) -> None:
    text = f"""
import subprocess, sys
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(100)"])
open({str(tmp_path / "pid")!r}, "w").write(str(child.pid))
"""
    began = time.monotonic()
    assert observe(Job(script(tmp_path, text), repeat=1)).done
    assert time.monotonic() - began < 20
    pid = int((tmp_path / "pid").read_text())
    wait_for_the_end_of(pid)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_an_interrupt_leaves_a_valid_partial_result(tmp_path: Path, number: int) -> None:
    text = "import os, time\nprint('begun', os.getpid(), flush=True)\ntime.sleep(60)"
    out = tmp_path / "out"
    netsuke = [sys.executable, "-m", "netsuke", "profile", "-o", str(out), "--interval", "0.05"]
    process = subprocess.Popen(
        [*netsuke, "--line", "wait=begun", "--", *script(tmp_path, text)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        # What runs the tests may ignore the signal (nohup, a job in the background).
        preexec_fn=lambda: signal.signal(number, signal.SIG_DFL),  # noqa: PLW1509
    )
    assert process.stderr is not None
    begun, pid = process.stderr.readline().split()
    assert begun == "begun"
    time.sleep(0.3)
    process.send_signal(number)
    process.communicate(timeout=30)
    assert process.returncode == 130
    wait_for_the_end_of(int(pid))
    result = json.loads((out / "profile.json").read_text())
    (only,) = result["variants"][0]["runs"]
    assert only["status"] == "interrupted" and len(only["samples"]["t"]) > 3
    assert only["phases"][0]["name"] == "wait"
    assert "interrupted" in (out / "report.html").read_text()


def grow(size: int) -> bytearray:
    with phase("grow"):
        return bytearray(size)


def test_a_python_function_runs_in_fresh_processes() -> None:
    profile = run(functools.partial(grow, 100 * MB), name="grow", repeat=2)
    assert profile.done and profile.peak_of("grow") > 100 * MB
    assert profile.name == "grow"


def test_a_function_that_no_other_process_can_find_is_refused() -> None:
    with pytest.raises(UsageError, match="fresh process"):
        run(lambda: None)


def test_garbage_among_the_borders_is_left_out(tmp_path: Path) -> None:
    text = """
import json, os, time
from netsuke.profile import phase
with open(os.environ["NETSUKE_PROFILE"], "a") as file:
    file.write('{"t": 1}\\n[]\\nnonsense\\n{"t": "x", "pid": 1, "event": "enter", "name": "a"}\\n')
    file.write('{"t": NaN, "pid": 1, "event": "enter", "name": "a"}\\n{"t": 1e400, "pid": 1}\\n')
    for when, size in ((-5, 1), (1e300, 1), (time.monotonic(), 10**30), (time.monotonic(), -1)):
        entry = {"t": when, "pid": 1, "event": "enter", "name": "a", "hwm": size}
        file.write(json.dumps(entry) + "\\n")
with phase("good"):
    pass
"""
    profile = observe(Job(script(tmp_path, text), repeat=1))
    assert profile.done and profile.phase_names == ("good",)
    assert profile.peak < 1000 * MB


def test_marks_never_write_into_files_of_the_program(tmp_path: Path) -> None:
    """It may close all numbers, as daemons do, and get ours for files of its own."""
    text = f"""
import os
from netsuke.profile import phase
with phase("before"):
    pass
os.closerange(3, 64)
own = [open({str(tmp_path)!r} + f"/own{{i}}", "w+b", buffering=0) for i in range(30)]
with phase("after"):
    a = bytearray(60_000_000)
    del a
    child = os.fork()
    if child == 0:
        with phase("child"):
            a = bytearray(30_000_000)
        os._exit(0)
    os.waitpid(child, 0)
for file in own:
    assert os.fstat(file.fileno()).st_size == 0, file
"""
    profile = observe(Job(script(tmp_path, text), repeat=1))
    assert profile.done, profile.runs[0].tail
    assert profile.phase_names == ("before", "after", "child")
    assert profile.peak_of("after") > profile.peak_of("before") + 55 * MB
    child = profile.peak_of("child")
    assert 30 * MB < child < profile.peak_of("after") - 20 * MB, "its own peak, not its parent's"


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("train", "train"),
        ('a "quoted" \\ name', 'a "quoted" \\ name'),
        ("学習", "学習"),
        ("half \ud800, red \x1b[31m,\nnext", "half \ufffd, red \ufffd[31m,\ufffdnext"),
        ("x" * 3000, "x" * 99 + "…"),
    ],
)
def test_names_of_phases_are_made_printable(tmp_path: Path, name: str, shown: str) -> None:
    text = f"""
from netsuke.profile import phase, report_metric
with phase({name!r}): pass
report_metric({name!r}, 1)
"""
    profile = observe(Job((*script(tmp_path, text), "\udcff"), repeat=1))
    assert profile.done and profile.phase_names == profile.metric_names == (shown,)
    assert profile.command[-1] == "\ufffd" and profile.name.endswith("\ufffd")


def test_a_mark_costs_microseconds_and_nothing_is_written_without_a_profile() -> None:
    assert not events.active()
    began = time.perf_counter()
    for _ in range(10_000):
        with phase("x"):
            pass
    assert time.perf_counter() - began < 0.5  # 50 µs each, 100 times what it takes
    report_metric("accuracy", 1)
    with pytest.raises(ValueError):
        report_metric("accuracy", "much")  # type: ignore[arg-type]


def test_importing_the_marks_loads_nothing_heavy() -> None:
    code = "import sys, netsuke.profile; print('psutil' in sys.modules, 'jinja2' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["False", "False"]


@pytest.mark.parametrize(
    "fields",
    [
        {"command": ()},
        {"command": ("a", "b\0")},
        {"command": ("true",), "repeat": 0},
        {"command": ("true",), "interval": 0.0},
        {"command": ("true",), "interval": float("nan")},
        {"command": ("true",), "lines": {"a": "("}},
        {"command": ("true",), "metrics": {"a": "no group"}},
        {"command": ("true",), "timeout": float("nan")},
    ],
)
def test_a_wrong_job_is_refused(fields: dict[str, object]) -> None:
    with pytest.raises(UsageError):
        Job(**fields)  # type: ignore[arg-type]


@pytest.mark.parametrize("command", ["no-such-program-anywhere", str(Path(__file__).parent)])
def test_a_program_that_cannot_be_run_is_one_error(command: str) -> None:
    with pytest.raises(UsageError, match="cannot be run"):
        observe(Job((command,)))


def test_the_sitecustomize_of_the_program_still_runs(tmp_path: Path) -> None:
    (tmp_path / "sitecustomize.py").write_text("import os; os.environ['FOUND'] = 'yes'")
    path = os.pathsep.join(filter(None, (str(tmp_path), os.environ.get("PYTHONPATH", ""))))
    command = script(tmp_path, "import os; print('number', 1 if 'FOUND' in os.environ else 0)")
    job = Job(command, repeat=1, environment={"PYTHONPATH": path}, metrics={"n": r"number (\d)"})
    assert observe(job).metric("n").mean == 1
