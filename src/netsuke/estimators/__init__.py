"""scikit-learn estimators whose fitted form is an integer graph for the smallest devices."""

from netsuke.estimators.bonsai import BonsaiClassifier, BonsaiRegressor
from netsuke.estimators.proto_nn import ProtoNNClassifier
from netsuke.estimators.tiny_linear import TinyLinearClassifier
from netsuke.estimators.tiny_mlp import TinyMLPClassifier

__all__ = [
    "BonsaiClassifier",
    "BonsaiRegressor",
    "ProtoNNClassifier",
    "TinyLinearClassifier",
    "TinyMLPClassifier",
]
