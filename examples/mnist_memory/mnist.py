"""Train, evaluate and infer a small CNN on MNIST, as a person would write it in PyTorch.

The experiment: two 5 x 5 convolutions with pooling, a dense layer and an output layer; cross
entropy, Adam, batches of 50, 2000 steps; the whole test set evaluated at once or in parts; ten
images inferred one by one. `netsuke profile variants.toml` runs it in three configurations.

    python mnist.py --padding same --parts 1 --data FOLDER

Without the folder of MNIST's four idx files (--data, or MNIST in the environment) the embedded
digits stand in for it.
"""

from __future__ import annotations

import argparse
import os

import torch
from torch import nn

import netsuke as nk


class Network(nn.Module):
    """Padding ``same`` keeps the size of an image at each convolution, ``valid`` does not."""

    def __init__(self, padding: str) -> None:
        super().__init__()
        side = 7 if padding == "same" else 4
        self.layers = nn.Sequential(
            *(nn.Conv2d(1, 32, 5, padding=padding), nn.ReLU(), nn.MaxPool2d(2)),
            *(nn.Conv2d(32, 64, 5, padding=padding), nn.ReLU(), nn.MaxPool2d(2)),
            *(nn.Flatten(), nn.Linear(64 * side * side, 1024), nn.ReLU()),
            *(nn.Dropout(0.5), nn.Linear(1024, 10)),
        )

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        return self.layers(images)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--padding", choices=("same", "valid"), default="same")
    parser.add_argument("--parts", type=int, default=1, help="of the evaluation")
    parser.add_argument("--steps", type=int, default=2000)
    parser.add_argument("--lr", type=float, default=1e-3)
    number = int(os.environ.get("NETSUKE_RUN", "0"))  # of the run, under netsuke profile
    parser.add_argument("--seed", type=int, default=number)
    parser.add_argument("--data", default=os.environ.get("MNIST") or "digits?size=28")
    parser.add_argument("--quick", action="store_true", help="20 steps, for a look")
    options = parser.parse_args()
    torch.set_num_threads(int(os.environ.get("OMP_NUM_THREADS", "1")))
    torch.manual_seed(options.seed)

    with nk.phase("load"):
        data = nk.data(options.data)
        images = torch.from_numpy(data.train.samples).permute(0, 3, 1, 2).contiguous()
        labels = torch.from_numpy(data.train.labels)
        test = torch.from_numpy(data.test.samples).permute(0, 3, 1, 2).contiguous()
        truth = torch.from_numpy(data.test.labels)
        network = Network(options.padding)

    with nk.phase("train"):
        optimizer = torch.optim.Adam(network.parameters(), options.lr)
        for _ in range(20 if options.quick else options.steps):
            chosen = torch.randint(len(images), (50,))
            loss = nn.functional.cross_entropy(network(images[chosen]), labels[chosen])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()

    network.eval()
    with nk.phase("evaluate"), torch.no_grad():
        right = [
            (network(part).argmax(1) == wanted).float().mean()
            for part, wanted in zip(
                test.chunk(options.parts), truth.chunk(options.parts), strict=True
            )
        ]
        accuracy = float(torch.stack(right).mean())

    with nk.phase("infer"), torch.no_grad():
        for image in test[:10]:
            network(image[None]).argmax(1)

    nk.report_metric("accuracy", accuracy)
    print(f"accuracy: {accuracy:.4f}")


if __name__ == "__main__":
    main()
