"""What every data set owes, shown on the embedded one."""

from __future__ import annotations

import numpy as np
import pytest

from netsuke.data import data_names, data_options, from_arrays, load_data
from netsuke.errors import DataError, UsageError


def test_digits_are_disjoint_stratified_parts() -> None:
    data = load_data("digits")
    sizes = [len(part) for part in data.parts.values()]
    assert sum(sizes) == 1797 and sizes[1] == 180 and sizes[2] == 359
    places = np.concatenate([part.indices for part in data.parts.values()])
    assert len(np.unique(places)) == 1797
    for part in data.parts.values():
        shares = np.bincount(part.labels, minlength=10) / len(part)
        assert np.abs(shares - 0.1).max() < 0.02


def test_samples_are_unit_floats_and_batches_are_the_same_values() -> None:
    data = load_data("digits")
    samples = data.train.samples
    assert samples.dtype == np.float32 and samples.shape == (len(data.train), 8, 8, 1)
    assert samples.min() == 0.0 and samples.max() == 1.0
    assert np.array_equal(data.train.batch([5, 2]), samples[[5, 2]])
    assert np.array_equal(np.concatenate(list(data.train.batches(100))), samples)


def test_a_seed_decides_the_parts_and_the_fingerprint() -> None:
    first, again, other = load_data("digits"), load_data("digits"), load_data("digits?seed=1")
    assert first.fingerprint() == again.fingerprint() != other.fingerprint()
    assert not np.array_equal(first.test.indices, other.test.indices)


def test_standard_normalisation_is_measured_on_the_training_part() -> None:
    data = load_data("digits?normalise=standard")
    samples = data.train.samples
    assert abs(samples.mean()) < 1e-4 and abs(samples.std() - 1.0) < 1e-3
    assert abs(data.test.samples.mean()) > 1e-5


def test_symmetric_and_raw_normalisation() -> None:
    assert load_data("digits?normalise=symmetric").train.samples.min() == -1.0
    assert load_data("digits?normalise=raw").train.samples.max() == 16.0


def test_limit_keeps_the_classes_in_proportion() -> None:
    data = load_data("digits?limit=100")
    assert sum(len(part) for part in data.parts.values()) == 100
    labels = np.concatenate([part.labels for part in data.parts.values()])
    assert np.bincount(labels).min() >= 9


def test_every_prefix_of_a_part_is_a_fair_choice() -> None:
    few = load_data("digits").train.take(100)
    assert np.bincount(few.labels, minlength=10).min() >= 8


@pytest.mark.parametrize(
    ("spec", "words"),
    [
        ("digits?limt=5", "no option 'limt'"),
        ("digits?limit=many", "whole number"),
        ("digits?normalise=odd", "one of unit"),
        ("digits?test=0.2&test=0.3", "twice"),
    ],
)
def test_a_wrong_option_is_named(spec: str, words: str) -> None:
    with pytest.raises(UsageError, match=words):
        load_data(spec)


def test_a_missing_path_is_named() -> None:
    with pytest.raises(DataError, match="no/such/place: does not exist"):
        load_data("no/such/place")


def test_formats_describe_themselves() -> None:
    assert {"digits", "npz", "idx", "images", "recordings", "cifar", "table"} <= set(data_names())
    assert {"limit", "size", "channels"} <= set(data_options("images"))


def test_own_arrays_are_taken_as_they_are() -> None:
    x, y = np.arange(12.0).reshape(6, 2), np.array([0, 1, 2, 0, 1, 2])
    data = from_arrays((x[:3], y[:3]), (x[3:4], y[3:4]), (x[4:], y[4:]))
    assert data.task == "classification" and data.classes == ("0", "1", "2")
    assert np.array_equal(data.test.samples, x[4:])
    assert from_arrays((x, None), (x, None), (x, None)).task == "unlabelled"
    with pytest.raises(DataError, match="not finite"):
        from_arrays((x * np.nan, y), (x, y), (x, y))
    with pytest.raises(DataError, match="6 samples have 3 labels"):
        from_arrays((x, y[:3]), (x, y), (x, y))


def test_a_record_is_plain_and_complete() -> None:
    record = load_data("digits").record()
    assert record["samples"] == {"train": 1258, "validation": 180, "test": 359}
    assert record["normalisation"] == {"name": "unit", "scale": 0.0625, "offset": 0.0}
