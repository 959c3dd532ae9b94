"""Graph → PyTorch and back: training, distillation, evaluation."""

from netsuke.errors import MissingToolError

try:
    import torch as _torch  # noqa: F401
except ModuleNotFoundError as error:
    if error.name != "torch":
        raise
    raise MissingToolError("PyTorch", "to train", "pip install netsuke[train]") from None

from netsuke.train.evaluate import Evaluation, check_match, evaluate, judge, predict
from netsuke.train.loop import Trained, fixed_threads, train
from netsuke.train.module import GraphModule, from_module, scores_graph, to_module
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
    "predict",
    "scores_graph",
    "to_module",
    "train",
]
