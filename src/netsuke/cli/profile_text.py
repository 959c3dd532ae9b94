"""Profiles as tables for eyes."""

from __future__ import annotations

import math
import signal
from typing import TYPE_CHECKING

from netsuke.cli.output import rows
from netsuke.profile.result import ALL, NOTICED

if TYPE_CHECKING:
    from netsuke.profile import Profile, Run
    from netsuke.profile.limit import Found, Task


def describe(run: Run) -> str:
    """How a run ended, in words."""
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
    names = list(dict.fromkeys(name for p in profiles for name in p.phase_names))
    runs = max(len(profile.runs) for profile in profiles)
    blocks = [f"Wall time in seconds{f', mean ± deviation of {runs} runs' if runs > 1 else ''}"]
    header = ["", *names, ALL, "CPU"]
    table = [header]
    for profile in profiles:
        cells = [_seconds(profile, name) for name in (*names, ALL)]
        table.append([profile.name, *cells, f"{profile.cpu().mean:,.2f}"])
    blocks += [rows(table), "Peak memory of one process in MB (10⁶ bytes)"]
    blocks += [rows(_peaks(profiles, names)), *_unseen(profiles)]
    figures = list(dict.fromkeys(name for p in profiles for name in p.metric_names))
    if figures:
        table = [["", *figures]]
        table += [[p.name, *(_figure(profiles[0], p, name) for name in figures)] for p in profiles]
        blocks += ["Figures that the program reported", rows(table)]
    failed = [f"  {p.name} {describe(p.runs[-1])}" for p in profiles if not p.done]
    if failed:
        blocks += ["Not done", "\n".join(failed)]
    return "\n".join(blocks)


def _peaks(profiles: list[Profile], names: list[str]) -> list[list[str]]:
    """True peaks beside what samples saw; shares of the first variant."""
    first = profiles[0]
    based = any(profile.base for profile in profiles)
    table = [["", *(["base"] if based else []), *names, ALL, "of the first"]]
    table[0] += [*(["above base"] if based else []), "in phase", "sampled", "tree"]
    for profile in profiles:
        share = f"{profile.peak / first.peak:.2%}" if first.peak else "N/A"
        sampled = max(run.sampled_peak for run in profile.runs)
        tree = f" ({profile.runs[-1].tree_source})" if profile.tree_peak else ""
        tree = _size(profile.tree_peak) + tree
        cells = [profile.name, *([_size(profile.base)] if based else [])]
        cells += [_size(profile.peak_of(name)) for name in names]
        cells += [_size(profile.peak), share, *([_above(profile, first)] if based else [])]
        table.append([*cells, profile.peak_phase or "-", _size(sampled), tree])
    return table


def _above(profile: Profile, first: Profile) -> str:
    """Peak above the base of the process, as a share of the first variant's."""
    whole = first.peak - first.base
    known = profile.base and first.base and whole > 0
    return f"{(profile.peak - profile.base) / whole:.2%}" if known else "N/A"


def _unseen(profiles: list[Profile]) -> list[str]:
    """What a timeline alone would have hidden, so that nobody takes a sample for a peak."""
    lines = []
    for profile in profiles:
        if profile.missed >= NOTICED:
            run = max(profile.runs, key=lambda run: run.missed)
            true = run.peak if run.tree_source == "sampled" else run.tree_peak
            lines.append(
                f"  {profile.name}: true peak {megabytes(true)}, largest sample "
                f"{megabytes(run.sampled_peak)}; {run.missed:.1%} of the peak was in no sample"
            )
    if not lines:
        return []
    return [f"Samples every {1000 * profiles[0].interval:g} ms miss peaks", "\n".join(lines)]


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


def limit_text(found: Found, task: Task, samples: int) -> str:
    """What holds a limit, what it costs, and what was tried."""
    run = found.profile.runs[0]
    what = "The least peak" if found.least else "The limit is held"
    lines = [
        f"{what}: {found.setting.describe(task.batch, samples)}",
        rows(
            [
                ("peak", megabytes(found.profile.peak), f"in {run.peak_phase or 'no phase'}"),
                *([("limit", megabytes(found.limit), found.enforced)] if not found.least else []),
                ("base of the process", megabytes(found.base), ""),
                ("as it is", megabytes(found.naive_peak), found.naive_source),
                ("above the base", f"{found.ratio:.2%}", "of what it is as it is"),
            ]
        ),
        text([found.naive, found.profile] if found.naive else [found.profile]),
        "Tried (least possible peak, seconds a step)",
        rows([_probe_row(found, index) for index in range(len(found.probes))]),
    ]
    return "\n".join([*lines, *(f"  Note: {note}" for note in found.notes)])


def _probe_row(found: Found, index: int) -> tuple[str, str, str]:
    probe = found.probes[index]
    floor = megabytes(probe.floor) if probe.floor else "above the limit"
    pace = min(probe.pace.values(), default=math.nan)
    return probe.setting.describe(0, 1), floor, "" if math.isnan(pace) else f"{pace:.3f}"
