"""Files of fitted scikit-learn estimators."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from netsuke.errors import MissingToolError, ModelError, UsageError
from netsuke.files import write_whole

PICKLES = (".joblib", ".pkl", ".pickle")
SUFFIXES = (*PICKLES, ".skops")
OWN = "netsuke.estimators."
"""Types under this name are safe to load: they are ours."""


def load_estimator(path: Path | str, trust_pickle: bool = False) -> Any:
    """Read a fitted estimator.

    Parameters
    ----------
    path
        A ``.skops`` file, or a ``.joblib``, ``.pkl`` or ``.pickle`` file.
    trust_pickle
        The person's word that the file is their own or comes from somebody they trust: loading a
        pickle runs code that it contains.

    Raises
    ------
    UsageError
        For a pickle without that word, and for a file that holds no estimator.
    ModelError
        When the file is missing or damaged, or a ``.skops`` file holds types that are not known to
        be safe.
    """
    path = Path(path)
    if not path.is_file():
        raise ModelError(str(path), "does not exist" if not path.exists() else "is no file")
    if path.suffix.lower() == ".skops":
        estimator = _load_skops(path)
    elif not trust_pickle:
        raise UsageError(
            f"{path}: is a pickle, and loading a pickle runs the code that it contains. If you "
            "made the file yourself or trust who did, say so: --trust-pickle (in Python "
            "trust_pickle=True). Otherwise save the model with skops, whose files are only data."
        )
    else:
        estimator = _load_pickle(path)
    if not hasattr(estimator, "get_params"):
        raise UsageError(f"{path}: holds a {type(estimator).__name__}, which is no estimator")
    return estimator


def save_estimator(path: Path | str, estimator: Any) -> None:
    """Write a fitted estimator as ``.joblib``; the file appears whole or not at all.

    Raises
    ------
    UsageError
        For another ending, or where the file cannot be written.
    """
    import joblib

    check_joblib(path)
    write_whole(path, lambda stream: joblib.dump(estimator, stream))


def check_joblib(path: Path | str) -> None:
    """Refuse a file to write that does not end in ``.joblib``."""
    if Path(path).suffix.lower() != ".joblib":
        raise UsageError(f"{path}: an estimator is written as joblib; end the name in .joblib")


def _load_pickle(path: Path) -> Any:
    import joblib

    try:
        return joblib.load(path)
    except Exception as error:  # unpickling runs any code, so anything can go wrong
        raise ModelError(str(path), f"cannot be loaded: {type(error).__name__}: {error}") from None


def _load_skops(path: Path) -> Any:
    try:
        import skops.io
    except ImportError:
        raise MissingToolError(
            "skops", "to read .skops files", "pip install 'netsuke[skops]'"
        ) from None
    try:
        unknown = skops.io.get_untrusted_types(file=path)
        foreign = [name for name in unknown if not name.startswith(OWN)]
        if foreign:
            raise ModelError(
                str(path), f"holds types that are not known to be safe: {', '.join(foreign)}"
            )
        return skops.io.load(path, trusted=unknown)
    except ModelError:
        raise
    except Exception as error:  # a damaged archive fails in many ways
        raise ModelError(str(path), f"cannot be read: {type(error).__name__}: {error}") from None
