"""Tables 6 to 11 of the document whose experiment this is, our figures beside its own."""

from __future__ import annotations

from netsuke.cli.output import rows
from netsuke.profile import Profile
from netsuke.profile.result import ALL

PHASES = ("train", "evaluate", "infer", ALL)
NAMES = (*PHASES, "peak", "accuracy")
PUBLISHED = tuple(
    dict(zip(NAMES, values, strict=True))
    for values in (
        (125.55, 3.47, 0.12, 130.17, 5610.50, 0.9768),
        (58.15, 1.62, 0.10, 60.86, 2305.02, 0.9769),
        (57.89, 1.65, 0.09, 60.62, 620.57, 0.9781),
    )
)
"""TensorFlow 1.11 on an Intel Core i5-6500: seconds, MB sampled once a second, accuracy.

The configurations: SAME and whole evaluation, VALID and whole, VALID and in ten parts.
"""


def tables(profiles: list[Profile]) -> str:
    """All six as text; ratios are against the first configuration, there and here."""
    blocks = ["Table 6. Wall time of the whole run (s)", rows(_times(profiles, ALL))]
    for number, profile in enumerate(profiles):
        blocks += [f"Table {7 + number}. Wall time of {profile.name} (s)"]
        blocks += [rows(_phases(profile, PUBLISHED[number]))]
    blocks += ["Table 10. Peak memory (MB)", rows(_peaks(profiles))]
    blocks += ["Table 11. Accuracy", rows(_accuracies(profiles))]
    return "\n".join(blocks)


def _times(profiles: list[Profile], name: str) -> list[list[str]]:
    table = [["", "here", "of the first", "there", "of the first"]]
    first, there = profiles[0].wall(name).mean, PUBLISHED[0][name]
    for profile, known in zip(profiles, PUBLISHED, strict=True):
        spread = profile.wall(name)
        share = f"{spread.mean / first:.1%}"
        cells = [f"{spread.mean:.2f} ± {spread.deviation:.2f}", share]
        table.append([profile.name, *cells, f"{known[name]:.2f}", f"{known[name] / there:.1%}"])
    return table


def _phases(profile: Profile, known: dict[str, float]) -> list[list[str]]:
    table = [["", "here", "CPU time here", "there"]]
    for name in PHASES:
        wall, cpu = profile.wall(name), profile.cpu(name)
        cells = [f"{spread.mean:.2f} ± {spread.deviation:.2f}" for spread in (wall, cpu)]
        table.append([name, *cells, f"{known[name]:.2f}"])
    return table


def _peaks(profiles: list[Profile]) -> list[list[str]]:
    first = profiles[0]
    table = [["", "here", "of the first", "above base", "once a second", "there", "of the first"]]
    for profile, known in zip(profiles, PUBLISHED, strict=True):
        low, high = once_a_second(profile)
        above = (profile.peak - profile.base) / (first.peak - first.base)
        cells = [f"{profile.peak / 1e6:.2f}", f"{profile.peak / first.peak:.2%}", f"{above:.2%}"]
        cells += [f"{low / 1e6:.0f} to {high / 1e6:.0f}", f"{known['peak']:.2f}"]
        table.append([profile.name, *cells, f"{known['peak'] / PUBLISHED[0]['peak']:.2%}"])
    return table


def _accuracies(profiles: list[Profile]) -> list[list[str]]:
    table = [["", "here", "to the first", "there", "to the first"]]
    first, there = profiles[0].metric("accuracy").mean, PUBLISHED[0]["accuracy"]
    for profile, known in zip(profiles, PUBLISHED, strict=True):
        spread = profile.metric("accuracy")
        cells = [f"{spread.mean:.4f} ± {spread.deviation:.4f}", f"{spread.mean / first - 1:+.2%}"]
        cells += [f"{known['accuracy']:.4f}", f"{known['accuracy'] / there - 1:+.2%}"]
        table.append([profile.name, *cells])
    return table


def once_a_second(profile: Profile) -> tuple[int, int]:
    """Least and largest peak (bytes) that sampling once a second says, by when it begins.

    The document sampled so. Our samples are thinned to the one that each second of a run ends
    with, for ten beginnings within the second.
    """
    peaks = []
    for run in profile.runs:
        for start in range(10):
            seen = {int(s.t - start / 10): s.memory for s in run.samples if s.t >= start / 10}
            peaks += [max(seen.values())] if seen else []
    return min(peaks, default=0), max(peaks, default=0)
