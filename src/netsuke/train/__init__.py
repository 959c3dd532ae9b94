"""Graph → PyTorch and back: training, distillation, evaluation."""

import os

from netsuke.errors import MissingToolError

# Threads that wait for each other by spinning make training ten times slower on a machine with
# other work (measured: 60 instead of 500 images a second), and on a free one hardly faster.
# OpenMP reads this once, when PyTorch is loaded; a person's own setting stays.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

try:
    import torch as _torch  # noqa: F401
except ModuleNotFoundError as error:
    if error.name != "torch":
        raise
    raise MissingToolError("PyTorch", "to train", "pip install netsuke[train]") from None

from netsuke.data.stored import check_match
from netsuke.train.evaluate import Evaluation, evaluate, judge, predict
from netsuke.train.loop import Trained, fixed_threads, train
from netsuke.train.memory import kept_memory
from netsuke.train.module import GraphModule, from_module, layer_weights, scores_graph, to_module
from netsuke.train.progress import Progress
from netsuke.train.recipe import Recipe

__all__ = [
    "Evaluation",
    "GraphModule",
    "Progress",
    "Recipe",
    "Trained",
    "check_match",
    "evaluate",
    "fixed_threads",
    "from_module",
    "judge",
    "kept_memory",
    "layer_weights",
    "predict",
    "scores_graph",
    "to_module",
    "train",
]
