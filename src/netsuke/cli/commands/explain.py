"""`netsuke explain`: why does a model of a table say what it says of one row?"""

from __future__ import annotations

import math
from typing import Annotated

import typer

from netsuke.cli.output import Json, TrustOption, show_json
from netsuke.errors import UsageError


def register(app: typer.Typer) -> None:
    @app.command()
    def explain(
        model: Annotated[
            str, typer.Argument(metavar="MODEL", help="A .joblib or .skops file of an estimator.")
        ],
        row: Annotated[
            str, typer.Option(help="The features with commas between them: 5.1,3.5,1.4,0.2")
        ],
        trust_pickle: TrustOption = False,
        as_json: Json = False,
    ) -> None:
        """Tell what each feature added to a prediction, and the decisions on its way."""
        values = _numbers(row)
        from netsuke.estimators import explain as reasons
        from netsuke.estimators.files import load_estimator

        told = reasons(load_estimator(model, trust_pickle), values)
        if not as_json:
            print(told.text())
            return
        show_json(
            {
                "prediction": str(told.prediction),
                "scores": dict(zip(told.outputs, told.scores.tolist(), strict=True)),
                "base": dict(zip(told.outputs, told.base.tolist(), strict=True)),
                "contributions": {
                    name: dict(zip(told.outputs, added, strict=True))
                    for name, added in zip(told.names, told.contributions.tolist(), strict=True)
                },
                "path": [{"text": step.text, "gain": list(step.gain)} for step in told.path],
            }
        )


def _numbers(row: str) -> list[float]:
    try:
        values = [float(text) for text in row.split(",")]
    except ValueError:
        values = [math.nan]
    if not all(map(math.isfinite, values)):
        raise UsageError(f"--row {row!r} holds what is no finite number; write 5.1,3.5,1.4,0.2")
    return values
