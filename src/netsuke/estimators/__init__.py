"""scikit-learn estimators whose fitted form is an integer graph for the smallest devices."""

from netsuke.estimators.bonsai import BonsaiClassifier, BonsaiRegressor

__all__ = ["BonsaiClassifier", "BonsaiRegressor"]
