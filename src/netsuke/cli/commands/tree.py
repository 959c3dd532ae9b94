"""`netsuke tree`: teach a network to a soft decision tree that explains its decisions."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from netsuke.cli.output import Json, ModelArgument, TrustOption, doing, show_json


def register(app: typer.Typer) -> None:
    @app.command()
    def tree(
        model: ModelArgument,
        data: Annotated[str, typer.Option("--data", help="Data set: a name or a path.")],
        out: Annotated[Path, typer.Option("-o", "--out", help="File to write (.joblib).")],
        depth: Annotated[int, typer.Option(help="Splits on a path of the tree.")] = 5,
        temperature: Annotated[float, typer.Option(help="Of the network's softmax.")] = 1.0,
        share: Annotated[
            float, typer.Option(help="Of the network in the targets; labels have the rest.")
        ] = 0.5,
        passes: Annotated[int, typer.Option(help="Over the training part.")] = 100,
        tries: Annotated[int, typer.Option(help="Trees trained, of which the best stays.")] = 1,
        seed: Annotated[int, typer.Option(help="Of the tree's first weights.")] = 0,
        trust_pickle: TrustOption = False,
        as_json: Json = False,
    ) -> None:
        """Teach a network to a soft decision tree, which `explain` and `compile` take."""
        from netsuke.api import data as load_data
        from netsuke.api import distill_to_tree, is_estimator, load
        from netsuke.errors import UsageError
        from netsuke.estimators.distill import load_teacher
        from netsuke.estimators.files import check_joblib, save_estimator

        check_joblib(out)
        if passes < 1 or tries < 1:
            raise UsageError(f"--passes {passes}, --tries {tries}: both are 1 or more")
        dataset = load_data(data)
        teacher = load_teacher(model, trust_pickle) if is_estimator(model) else load(model)
        with doing(f"teaching a tree of depth {depth}"):
            taught = distill_to_tree(
                *(teacher, dataset, depth),
                temperature=temperature,
                share=share,
                seed=seed,
                max_iter=passes,
                n_init=tries,
            )
        told = _judge(teacher, taught, dataset)
        save_estimator(out, taught)
        if as_json:
            show_json({"out": str(out), "depth": depth, **told})
            return
        print(f"{out}: depth {depth}, agrees with the network on {told['agreement']:.2f} %")
        if told["tree"] is not None:
            print(
                f"  tree {told['tree']:.2f} %, network {told['network']:.2f} % of the test samples"
            )


def _judge(teacher: Any, taught: Any, dataset: Any) -> dict[str, float | None]:
    """Percent of the test part: where tree and network agree, and where each is right."""
    from netsuke.estimators.distill import stored_rows, teacher_scores

    said = taught.predict(stored_rows(dataset.test))
    meant = teacher_scores(teacher, dataset, dataset.test).argmax(1)
    told: dict[str, float | None] = {"agreement": 100.0 * float((said == meant).mean())}
    labels = None if dataset.test.targets is None else dataset.test.labels
    for name, classes in (("tree", said), ("network", meant)):
        told[name] = None if labels is None else 100.0 * float((classes == labels).mean())
    return told
