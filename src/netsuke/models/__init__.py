"""The zoo: reference networks as float graphs with initial weights."""

from netsuke.models.count import learned_parameters
from netsuke.models.zoo import build, is_model_name, model_names, model_options

__all__ = ["build", "is_model_name", "learned_parameters", "model_names", "model_options"]
