"""Families of classical models, searched for the best one that a device can hold."""

from netsuke.estimators.search.families import EFFORTS, FAMILIES
from netsuke.estimators.search.result import TableFit
from netsuke.estimators.search.search import search_table
from netsuke.estimators.search.sizes import TableLimits, TableSizes
from netsuke.estimators.search.table import Table, make_table

__all__ = [
    "EFFORTS",
    "FAMILIES",
    "Table",
    "TableFit",
    "TableLimits",
    "TableSizes",
    "make_table",
    "search_table",
]
