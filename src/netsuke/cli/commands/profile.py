"""`netsuke profile`: time per phase, memory over time and the true peak of any run."""

from __future__ import annotations

import json
import os
import re
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from netsuke.cli.output import Json, doing, finite, show_json
from netsuke.cli.profile_text import describe, limit_text, text
from netsuke.errors import ProgramError, UsageError

if TYPE_CHECKING:
    from netsuke.profile import Profile

PHASES = "NETSUKE_PHASES"
"""Environment variable: ``train=^step 0;evaluate=call:evaluate``, as --line and --call."""


def register(app: typer.Typer) -> None:
    @app.command()
    def profile(
        what: Annotated[
            list[str],
            typer.Argument(
                metavar="MODEL|VARIANTS.toml|-- COMMAND...",
                help="A model, a .toml file of variants, or after -- a command.",
            ),
        ],
        repeat: Annotated[
            int | None, typer.Option("-n", "--repeat", help="Runs, each in a fresh process (3).")
        ] = None,
        interval: Annotated[
            float | None, typer.Option(help="Seconds between samples, 0.001 to 60 (0.1).")
        ] = None,
        line: Annotated[
            list[str] | None,
            typer.Option(help="PHASE=PATTERN: begins with a line of output that matches."),
        ] = None,
        call: Annotated[
            list[str] | None,
            typer.Option(help="PHASE=[MODULE:]FUNCTION: is the calls of a Python function."),
        ] = None,
        metric: Annotated[
            list[str] | None,
            typer.Option(help="NAME=PATTERN: the first group in a line of output is the figure."),
        ] = None,
        pss: Annotated[
            bool, typer.Option("--pss", help="Timeline: count shared pages in proportion (slower).")
        ] = False,
        timeout: Annotated[
            float | None, typer.Option(help="Seconds after which a run is ended.")
        ] = None,
        runtime: Annotated[
            str, typer.Option(help="For a model: onnxruntime, litert or torch.")
        ] = "onnxruntime",
        runs: Annotated[int, typer.Option(help="For a model: inferences after the first.")] = 20,
        batch: Annotated[int, typer.Option(help="For a model: samples of an inference.")] = 1,
        threads: Annotated[int, typer.Option(help="For a model: threads of the runtime.")] = 1,
        quick: Annotated[
            bool, typer.Option("--quick", help="For variants: one run each, --quick behind each.")
        ] = False,
        limit: Annotated[
            str | None,
            typer.Option(
                help="For a model and --data: train, evaluate and infer within so much memory "
                "(600MB = 600,000,000 B; MiB for 2^20), or least: find the least."
            ),
        ] = None,
        data: Annotated[
            str | None, typer.Option("--data", help="With --limit: data set, a name or a path.")
        ] = None,
        steps: Annotated[int, typer.Option(help="With --limit: steps of training.")] = 200,
        train_batch: Annotated[int, typer.Option(help="With --limit: samples a step.")] = 50,
        lr: Annotated[float, typer.Option(help="With --limit: learning rate of Adam.")] = 1e-3,
        seed: Annotated[int, typer.Option(help="With --limit: of the order of samples.")] = 0,
        compare: Annotated[
            bool, typer.Option("--compare", help="With --limit: also run it as it is, unlimited.")
        ] = False,
        quiet: Annotated[
            bool, typer.Option("--quiet", help="Do not pass the program's output on to stderr.")
        ] = False,
        out: Annotated[
            Path | None, typer.Option("-o", "--out", help="Folder: profile.json, report.html.")
        ] = None,
        as_json: Json = False,
    ) -> None:
        """Run something several times: time per phase, memory over time, true peak, accuracy.

        Peaks are the kernel's own (VmHWM, read and restarted at each border of a phase), not
        samples; where samples miss 1 % of a peak or more, that is told. The program's stdin is
        empty; what it prints goes to stderr; NETSUKE_RUN in its environment is the number of the
        run, to seed itself with. A program that fails gives its partial timeline and exit code 4.
        """
        from netsuke.profile.job import named

        if out is not None:
            _check_folder(out)
        if limit is not None or data is not None:
            if len(what) != 1 or limit is None or data is None:
                raise UsageError("--limit takes one model, and --data to train and judge it")
            figures = {"steps": steps, "batch": train_batch, "lr": lr, "seed": seed}
            figures |= {"threads": threads}
            _hold(what[0], data, limit, figures, compare, interval or 0.1, out, as_json)
            return
        seen = {
            "lines": named(line or [], "PHASE=PATTERN"),
            "calls": named(call or [], "PHASE=FUNCTION"),
            "metrics": named(metric or [], "NAME=PATTERN"),
        }
        lines, calls = _from_environment(os.environ.get(PHASES, ""))
        seen["lines"], seen["calls"] = lines | seen["lines"], calls | seen["calls"]
        options: dict[str, Any] = {"shared": pss, "timeout": timeout, **seen}
        first = what[0]
        title: str = first
        profiles: list[Profile] = []
        with _ends_as_interrupts(), doing("starting") as say:
            if len(what) == 1 and first.lower().endswith(".toml"):
                extra = ["--quick"] if quick else []
                title, profiles = _variants(
                    Path(first), 1 if quick else repeat, interval, extra, not quiet, say
                )
            else:
                options |= {"repeat": repeat or 3, "interval": interval or 0.1}
                if len(what) == 1 and _is_model(first):
                    figures = {"runs": runs, "batch": batch, "threads": threads}
                    profiles = [_model(first, runtime, say=say, **figures, **options)]
                else:
                    profiles = [_command(what, not quiet, say, **options)]
                title = profiles[0].name
        _deliver(title, profiles, out, as_json)


def _hold(
    model: str,
    data: str,
    limit: str,
    figures: dict[str, Any],
    compare: bool,
    interval: float,
    out: Path | None,
    as_json: bool,
) -> None:
    """Find and show what holds a limit of memory."""
    from netsuke.api import data as load_data
    from netsuke.api import load
    from netsuke.profile.limit import Task, hold_limit
    from netsuke.profile.result import record

    size, task = parse_limit(limit), Task(**figures)
    dataset, graph = load_data(data), load(model, optimize=False)
    with _ends_as_interrupts(), doing("starting") as say:
        found = hold_limit(graph, dataset, size, task, compare=compare, interval=interval, say=say)
    profiles = [*([found.naive] if found.naive else []), found.profile]
    title = f"{model} within {limit}" if size else f"{model} with the least memory"
    whole = record(profiles, title=title, limit=size, found=found.record())
    _write(whole, out)
    if as_json:
        show_json(whole)
        return
    print(limit_text(found, task, len(dataset.test)))
    if out is not None:
        print(f"{out / 'report.html'}")


def parse_limit(text: str) -> int | None:
    """Bytes of a limit; None for ``least``. MB are 10⁶ bytes, as in all figures of a profile."""
    if text.strip().lower() == "least":
        return None
    found = re.fullmatch(r"\s*(\d{1,15}(?:\.\d{1,6})?)\s*([kmg]i?)?b?\s*", text.lower())
    if found is None:
        raise UsageError(f"{text!r} is no limit such as 600MB, 600MiB, 2GB or least")
    unit = found[2] or ""
    power = "kmg".find(unit[:1]) + 1 if unit else 0
    size = int(float(found[1]) * (1024 if unit.endswith("i") else 1000) ** power)
    if size < 1:
        raise UsageError("a limit of nothing holds nothing")
    return size


@contextmanager
def _ends_as_interrupts() -> Iterator[None]:
    """Whoever ends netsuke ends the program that it looks at, too, and gets what there is."""

    def interrupt(_number: int, _frame: object) -> None:
        raise KeyboardInterrupt

    if threading.current_thread() is not threading.main_thread():
        yield
        return
    ends = (signal.SIGTERM, signal.SIGHUP)
    # What somebody ignores (nohup) stays ignored.
    before = {number: signal.getsignal(number) for number in ends}
    heard = [number for number in ends if before[number] is signal.SIG_DFL]
    for number in heard:
        signal.signal(number, interrupt)
    try:
        yield
    finally:
        for number in heard:
            signal.signal(number, before[number])


def _check_folder(out: Path) -> None:
    """Refuse a folder that cannot be written into, before hours are spent on what goes there."""
    place = next((place for place in (out, *out.parents) if place.exists()), Path())
    if not (place.is_dir() and os.access(place, os.W_OK)):
        raise UsageError(f"{out}: cannot be written: {place} is no folder that may be written into")


def _write(whole: dict[str, Any], out: Path | None) -> None:
    if out is None:
        return
    from netsuke.files import write_whole
    from netsuke.report import profile_page

    write_whole(out / "profile.json", (json.dumps(finite(whole)) + "\n").encode())
    write_whole(out / "report.html", profile_page(whole).encode())


def _from_environment(text: str) -> tuple[dict[str, str], dict[str, str]]:
    from netsuke.profile.job import named

    entries = named([part for part in text.split(";") if part.strip()], f"{PHASES} PHASE=PATTERN")
    calls = {k: v.removeprefix("call:") for k, v in entries.items() if v.startswith("call:")}
    return {k: v for k, v in entries.items() if k not in calls}, calls


def _is_model(text: str) -> bool:
    from netsuke.models import is_model_name

    ending = Path(text.partition("?")[0]).suffix.lower()
    return is_model_name(text) or ending in (".onnx", ".tflite", ".pt2")


def _variants(
    path: Path, repeat: int | None, interval: float | None, extra: list[str], echo: bool, say: Any
) -> tuple[str, list[Profile]]:
    from netsuke.profile import observe
    from netsuke.profile.job import check_program
    from netsuke.profile.variants import read_variants

    title, jobs = read_variants(path, repeat, interval, extra)
    for job in jobs:
        check_program(job)
    profiles: list[Profile] = []
    for job in jobs:
        profiles.append(observe(job, echo=echo, say=say))
        if profiles[-1].runs[-1].status == "interrupted":
            break
    return title, profiles


def _model(model: str, runtime: str, **options: Any) -> Profile:
    from netsuke.profile.model import run_model

    if runtime == "litert" and model.lower().endswith(".tflite"):
        return run_model(model, None, runtime, **options)
    if runtime == "onnxruntime" and model.lower().endswith(".onnx") and Path(model).is_file():
        return run_model(model, None, runtime, **options)
    from netsuke.api import load

    return run_model(model, load(model, optimize=False), runtime, **options)


def _command(command: list[str], echo: bool, say: Any, **options: Any) -> Profile:
    from netsuke.profile import Job, observe

    return observe(Job(tuple(command), **options), echo=echo, say=say)


def _deliver(title: str, profiles: list[Profile], out: Path | None, as_json: bool) -> None:
    """Write and show the result; then say what went wrong in it."""
    from netsuke.profile.result import record

    whole = record(profiles, title=title)
    _write(whole, out)
    if as_json:
        show_json(whole)
    else:
        print(text(profiles))
        if out is not None:
            print(f"{out / 'report.html'}")
    if any(run.status == "interrupted" for profile in profiles for run in profile.runs):
        raise KeyboardInterrupt
    for profile in profiles:
        if not profile.done:
            last = profile.runs[-1]
            raise ProgramError(profile.name, describe(last), last.tail.strip()[-500:])
