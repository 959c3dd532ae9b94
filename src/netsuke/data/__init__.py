"""Data sets: the embedded default, and what lies on a person's disk."""

from netsuke.data.dataset import Dataset, Normalisation, Part, from_arrays
from netsuke.data.load import data_names, data_options, load_data
from netsuke.data.mel import MelFeatures

__all__ = [
    "Dataset",
    "MelFeatures",
    "Normalisation",
    "Part",
    "data_names",
    "data_options",
    "from_arrays",
    "load_data",
]
