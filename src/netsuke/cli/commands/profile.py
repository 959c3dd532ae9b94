"""`netsuke profile`: time per phase, memory over time and the true peak of any run."""

from __future__ import annotations

import json
import math
import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from netsuke.cli.output import Json, doing, rows, show_json
from netsuke.errors import ProgramError

if TYPE_CHECKING:
    from netsuke.profile import Profile, Run

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
        samples. The program's stdin is empty; what it prints goes to stderr. A program that fails
        gives its partial timeline and exit code 4.
        """
        from netsuke.profile.job import named

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
        with doing("starting") as say:
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
    from netsuke.profile.variants import read_variants

    title, jobs = read_variants(path, repeat, interval, extra)
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
    if out is not None:
        from netsuke.files import write_whole
        from netsuke.report import profile_page

        write_whole(out / "profile.json", (json.dumps(finite(whole)) + "\n").encode())
        write_whole(out / "report.html", profile_page(whole).encode())
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


def finite(value: Any) -> Any:
    """JSON has no nan: a figure that no run has is null."""
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, dict):
        return {key: finite(entry) for key, entry in value.items()}
    if isinstance(value, list | tuple):
        return [finite(entry) for entry in value]
    return value


def describe(run: Run) -> str:
    """How a run ended, in words."""
    import signal

    if run.status == "failed":
        return f"failed with exit status {run.code}"
    if run.status == "timeout":
        return f"was ended after {run.wall:.1f} s, the time that --timeout allows"
    if run.code < 0:
        try:
            name = signal.Signals(-run.code).name
        except ValueError:
            name = f"signal {-run.code}"
        if run.status == "out of memory":
            return f"ran out of memory and was killed by {name} at {megabytes(run.peak)}"
        return f"was killed by {name}"
    if run.status == "out of memory":
        return f"ran out of memory at {megabytes(run.peak)} (exit status {run.code})"
    return run.status


def megabytes(size: float) -> str:
    """Bytes for eyes, in units of 10⁶ as in data sheets."""
    return f"{size / 1e6:,.2f} MB"


def text(profiles: list[Profile]) -> str:
    """Time per phase, peaks and figures of all variants; ratios against the first."""
    from netsuke.profile.result import ALL

    names = list(dict.fromkeys(name for p in profiles for name in p.phase_names))
    runs = max(len(profile.runs) for profile in profiles)
    blocks = [f"Wall time in seconds{f', mean ± deviation of {runs} runs' if runs > 1 else ''}"]
    header = ["", *names, ALL, "CPU"]
    table = [header]
    for profile in profiles:
        cells = [_seconds(profile, name) for name in (*names, ALL)]
        table.append([profile.name, *cells, f"{profile.cpu().mean:,.2f}"])
    blocks += [rows(table), "Peak memory of one process in MB (10⁶ bytes)"]
    table = [["", *names, ALL, "of the first", "in phase", "sampled", "tree"]]
    for profile in profiles:
        cells = [_size(profile.peak_of(name)) for name in names]
        share = profile.peak / profiles[0].peak if profiles[0].peak else math.nan
        sampled = max(run.sampled_peak for run in profile.runs)
        last = profile.runs[-1]
        tree = f"{profile.tree_peak / 1e6:,.2f} ({last.tree_source})"
        where = profile.peak_phase or "-"
        whole = f"{profile.peak / 1e6:,.2f}"
        table.append(
            [*(profile.name, *cells, whole), f"{share:.2%}", where, f"{sampled / 1e6:,.2f}", tree]
        )
    blocks.append(rows(table))
    figures = list(dict.fromkeys(name for p in profiles for name in p.metric_names))
    if figures:
        table = [["", *figures]]
        table += [[p.name, *(_figure(profiles[0], p, name) for name in figures)] for p in profiles]
        blocks += ["Figures that the program reported", rows(table)]
    failed = [f"  {p.name} {describe(p.runs[-1])}" for p in profiles if not p.done]
    if failed:
        blocks += ["Not done", "\n".join(failed)]
    return "\n".join(blocks)


def _seconds(profile: Profile, name: str) -> str:
    spread = profile.wall(name)
    if math.isnan(spread.mean):
        return "N/A"
    return f"{spread.mean:,.2f}" + (f" ± {spread.deviation:.2f}" if len(profile.runs) > 1 else "")


def _size(size: int) -> str:
    return f"{size / 1e6:,.2f}" if size else "N/A"


def _figure(first: Profile, profile: Profile, name: str) -> str:
    value, base = profile.metric(name), first.metric(name).mean
    if math.isnan(value.mean):
        return "N/A"
    shown = f"{value.mean:.4f}"
    if len(profile.runs) > 1:
        shown += f" ± {value.deviation:.4f}"
    if profile is not first and base:
        shown += f" ({(value.mean - base) / base:+.2%})"
    return shown
