"""scikit-learn estimators whose fitted form is an integer graph for the smallest devices."""

from netsuke.estimators.bonsai import BonsaiClassifier, BonsaiRegressor
from netsuke.estimators.explain import Explanation, explain
from netsuke.estimators.fastfood import FastfoodFeatures
from netsuke.estimators.hoeffding_tree import HoeffdingTreeClassifier
from netsuke.estimators.proto_nn import ProtoNNClassifier
from netsuke.estimators.refined_forest import RefinedForestClassifier
from netsuke.estimators.river_tree import RiverTreeClassifier
from netsuke.estimators.soft_tree import SoftDecisionTreeClassifier
from netsuke.estimators.tiny_linear import TinyLinearClassifier
from netsuke.estimators.tiny_mlp import TinyMLPClassifier

__all__ = [
    "BonsaiClassifier",
    "BonsaiRegressor",
    "Explanation",
    "FastfoodFeatures",
    "HoeffdingTreeClassifier",
    "ProtoNNClassifier",
    "RefinedForestClassifier",
    "RiverTreeClassifier",
    "SoftDecisionTreeClassifier",
    "TinyLinearClassifier",
    "TinyMLPClassifier",
    "explain",
]
