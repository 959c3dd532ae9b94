"""How weights are trained."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from netsuke.errors import UsageError
from netsuke.train.augment import AUGMENTATIONS


@dataclass(frozen=True, slots=True)
class Recipe:
    """Everything that decides the result of training, besides graph and data.

    Attributes
    ----------
    epochs
        Passes over the training part.
    lr
        Highest learning rate; it rises over the first twentieth of the steps and then falls as
        half a cosine (Loshchilov & Hutter 2017, arXiv:1608.03983, eq. 5).
    batch
        Samples a step.
    samples
        Of an epoch, chosen anew each time; 0: all.
    optimizer
        ``"adam"`` (decoupled weight decay) or ``"sgd"`` (Nesterov momentum 0.9).
    weight_decay
        On parameters with two axes or more.
    smoothing
        Of the labels: the share that is spread over all classes.
    augment
        ``"none"``; ``"shift"`` moves images by up to an eighth of their side; ``"flip"`` also
        mirrors half of them left to right; ``"rotate"`` shows them in all eight symmetries of the
        square, for images without an upper side (four symmetries, if they are not square).
    views
        0: each epoch augments anew. Else so many fixed views of each sample are shown in turn,
        one an epoch, the same to student and teacher (Beyer et al. 2022, arXiv:2106.05237); the
        teacher computes each view once.
    ema
        Decay of a moving average of the weights, which is what training returns; 0: none. 0.999
        suits some thousand steps.
    temperature, distill
        With a teacher: loss = (1 - distill) · CE(labels) + distill · T² · KL(teacher, student)
        of the scores divided by T (Hinton et al. 2015, arXiv:1503.02531).
    hint, hint_epochs
        With a teacher's hidden layers as hints: their weight in the loss, and how many epochs at
        first learn nothing but the hints (stage 1 of Romero et al. 2015, arXiv:1412.6550).
    seed
        Same seed, same weights (on one kind of processor, with one number of threads).
    threads
        Threads of PyTorch; they change the order of sums, so they belong to the recipe.
    """

    epochs: int = 10
    lr: float = 2e-3
    batch: int = 64
    samples: int = 0
    optimizer: str = "adam"
    weight_decay: float = 1e-4
    smoothing: float = 0.0
    augment: str = "none"
    views: int = 0
    ema: float = 0.0
    temperature: float = 4.0
    distill: float = 0.7
    hint: float = 0.0
    hint_epochs: int = 0
    seed: int = 0
    threads: int = 2

    def __post_init__(self) -> None:
        wrong = [
            text
            for text, good in {
                f"epochs={self.epochs}": 0 <= self.epochs <= 100_000,
                f"lr={self.lr}": 0 < self.lr < 1e3,
                f"batch={self.batch}": 1 <= self.batch <= 1 << 20,
                f"samples={self.samples}": self.samples >= 0,
                f"optimizer={self.optimizer!r}": self.optimizer in ("adam", "sgd"),
                f"weight_decay={self.weight_decay}": 0 <= self.weight_decay < 10,
                f"smoothing={self.smoothing}": 0 <= self.smoothing < 1,
                f"augment={self.augment!r}": self.augment in AUGMENTATIONS,
                f"views={self.views}": 0 <= self.views <= 1024,
                f"ema={self.ema}": 0 <= self.ema < 1,
                f"hint={self.hint}": 0 <= self.hint < 1e6,
                f"hint_epochs={self.hint_epochs}": 0 <= self.hint_epochs <= self.epochs,
                f"temperature={self.temperature}": 0 < self.temperature < 1e3,
                f"distill={self.distill}": 0 <= self.distill <= 1,
                f"seed={self.seed}": self.seed >= 0,
                f"threads={self.threads}": 1 <= self.threads <= 1024,
            }.items()
            if not good
        ]
        if wrong:
            raise UsageError(f"no recipe for training has {', '.join(wrong)}")

    def record(self) -> dict[str, Any]:
        """The recipe as plain values."""
        return asdict(self)
