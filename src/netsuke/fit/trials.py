"""Every design that was tried, in an Optuna study: a file, or a data base that many can watch."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from netsuke.errors import MissingToolError, UsageError
from netsuke.fit.design import Design, Sized, Sizes

FILE = "trials.db"


class Trials:
    """Designs and their scores, rung by rung; what is written survives any end of the process.

    One trial a design: its widths, edits and family are parameters, its sizes and origin
    attributes, the score of each rung an intermediate value. A design that was not promoted is
    ``PRUNED``, as in any search by successive halving.

    Parameters
    ----------
    storage
        A SQLAlchemy URL (``postgresql://user:secret@host/base``), a run's folder (its SQLite
        file), or None for memory.
    name
        Of the study; runs that share a data base have different ones.
    """

    def __init__(self, storage: str | Path | None, name: str) -> None:
        try:
            import optuna
        except ImportError:
            raise MissingToolError("optuna", "to search", "pip install 'netsuke[train]'") from None
        optuna.logging.set_verbosity(optuna.logging.WARNING)
        self._optuna = optuna
        url = f"sqlite:///{storage / FILE}" if isinstance(storage, Path) else storage
        try:
            self.study = optuna.create_study(
                study_name=name, storage=url, direction="maximize", load_if_exists=True
            )
        except Exception as error:  # drivers raise what they like
            place = _without_secret(url)
            raise UsageError(
                f"the trials cannot be kept in {place}: {_first_line(error)}"
            ) from None
        self._ids: dict[str, int] = {
            trial.user_attrs["key"]: trial._trial_id
            for trial in self.study.get_trials(deepcopy=False)
            if "key" in trial.user_attrs
        }

    def add(self, sized: Sized, places: Mapping[str, int], offered: Mapping[str, bool]) -> None:
        """Begin a design's trial, unless it has one.

        Parameters
        ----------
        sized
            The design and its sizes.
        places
            Group name -> most units.
        offered
            Edit -> whether the design has it.
        """
        design = sized.design
        if design.key in self._ids:
            return
        optuna = self._optuna
        whole = optuna.distributions.IntDistribution
        choice = optuna.distributions.CategoricalDistribution((False, True))
        widths = dict(zip(places, design.widths, strict=True))
        trial = optuna.trial.create_trial(
            state=optuna.trial.TrialState.RUNNING,
            params={**{f"width {name}": width for name, width in widths.items()}, **offered},
            distributions={
                **{f"width {name}": whole(1, most) for name, most in places.items()},
                **dict.fromkeys(offered, choice),
            },
            user_attrs={
                "key": design.key,
                "design": design.record(),
                "sizes": asdict(sized.sizes),
                "origin": design.origin,
            },
        )
        self.study.add_trial(trial)
        for found in reversed(self.study.get_trials(deepcopy=False)):
            if found.user_attrs.get("key") == design.key:
                self._ids[design.key] = found._trial_id
                return

    def score(self, design: Design, rung: int) -> dict[str, Any] | None:
        """What `report` was told of a design at a rung, or None."""
        found = self._of(design)
        attribute = None if found is None else found.user_attrs.get(f"rung {rung}")
        return dict(attribute) if attribute is not None else None

    def report(self, design: Design, rung: int, value: float, more: Mapping[str, Any]) -> None:
        """Keep a design's score at a rung; reporting it again changes nothing."""
        if self.score(design, rung) is not None:
            return
        trial = self._optuna.trial.Trial(self.study, self._ids[design.key])
        trial.report(value, rung)
        trial.set_user_attr(f"rung {rung}", {"score": value, **more})

    def close(self, design: Design, chosen: bool) -> None:
        """End a design's trial: promoted to the last training, or pruned."""
        found = self._of(design)
        if found is None or found.state.is_finished():
            return
        state = self._optuna.trial.TrialState
        values = found.intermediate_values
        with contextlib.suppress(ValueError):  # another process ended it
            if chosen and values:
                self.study.tell(found.number, values[max(values)])
            else:
                self.study.tell(found.number, state=state.PRUNED)

    def designs(self) -> list[Sized]:
        """All designs with their sizes, in the order in which they were begun."""
        return [
            Sized(Design.read(t.user_attrs["design"]), Sizes(**t.user_attrs["sizes"]))
            for t in self.study.get_trials(deepcopy=False)
            if "design" in t.user_attrs
        ]

    def _of(self, design: Design) -> Any:
        number = self._ids.get(design.key)
        if number is None:
            return None
        for trial in self.study.get_trials(deepcopy=False):
            if trial._trial_id == number:
                return trial
        return None


def _first_line(error: Exception) -> str:
    return str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__


def _without_secret(url: str | None) -> str:
    """A URL without its password."""
    if url is None or "@" not in url or "://" not in url:
        return str(url)
    scheme, rest = url.split("://", 1)
    login, place = rest.rsplit("@", 1)
    return f"{scheme}://{login.split(':', 1)[0]}@{place}"
