"""`netsuke train`: train a model of the zoo, or go on training one, and save it as ONNX."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from netsuke.cli.output import Json, ModelArgument, show_json
from netsuke.errors import UsageError


def register(app: typer.Typer) -> None:
    @app.command()
    def train(
        model: ModelArgument,
        data: Annotated[str, typer.Option("--data", help="Data set: a name or a path.")],
        out: Annotated[Path, typer.Option("-o", "--out", help="ONNX file to write.")],
        epochs: Annotated[int, typer.Option(help="Passes over the training part.")] = 10,
        lr: Annotated[float, typer.Option(help="Peak learning rate.")] = 1e-3,
        seed: Annotated[int, typer.Option(help="Of weights, order and augmentation.")] = 0,
        as_json: Json = False,
    ) -> None:
        """Train a float model with PyTorch; the best validation epoch is saved."""
        from netsuke.api import data as load_data
        from netsuke.api import load
        from netsuke.codegen.onnx import to_onnx
        from netsuke.files import write_whole
        from netsuke.train import evaluate
        from netsuke.train import train as learn

        if out.suffix != ".onnx":
            raise UsageError(f"{out}: train writes ONNX; name a file that ends in .onnx")
        dataset = load_data(data)
        graph = learn(load(model, optimize=False), dataset, epochs=epochs, lr=lr, seed=seed)
        accuracy = 100.0 * evaluate(graph, dataset.test)
        write_whole(out, to_onnx(graph))
        if as_json:
            show_json({"out": str(out), "metric": accuracy, "epochs": epochs, "seed": seed})
        else:
            print(f"{out}: {accuracy:.2f} % on {len(dataset.test)} test samples")
