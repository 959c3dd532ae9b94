"""What a fit run found, as sections of the page."""

from netsuke.report.fit.values import fit_values

__all__ = ["fit_values"]
