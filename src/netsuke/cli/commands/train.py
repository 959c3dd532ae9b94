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
        lr: Annotated[float, typer.Option(help="Highest learning rate.")] = 2e-3,
        augment: Annotated[str, typer.Option(help="none, shift, flip or rotate.")] = "none",
        seed: Annotated[int, typer.Option(help="Of weights, order and augmentation.")] = 0,
        checkpoints: Annotated[Path | None, typer.Option(help="Folder for checkpoints.")] = None,
        resume: Annotated[bool, typer.Option(help="Go on from the checkpoints.")] = False,
        as_json: Json = False,
    ) -> None:
        """Train a float model with PyTorch and save it as ONNX."""
        from netsuke.api import data as load_data
        from netsuke.api import load
        from netsuke.codegen.onnx import to_onnx
        from netsuke.files import write_whole
        from netsuke.train import Recipe, evaluate
        from netsuke.train import train as learn

        if out.suffix != ".onnx":
            raise UsageError(f"{out}: train writes ONNX; name a file that ends in .onnx")
        dataset = load_data(data)
        recipe = Recipe(epochs=epochs, lr=lr, augment=augment, seed=seed)
        trained = learn(
            load(model, optimize=False), dataset, recipe, out=checkpoints, resume=resume
        )
        metric = evaluate(trained.graph, dataset, dataset.test).metric
        write_whole(out, to_onnx(trained.graph))
        if as_json:
            show_json({"out": str(out), "metric": metric, "recipe": recipe.record()})
        else:
            print(f"{out}: {metric:.2f} % on {len(dataset.test)} test samples")
