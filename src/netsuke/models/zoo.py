"""Finding a network by its name."""

from __future__ import annotations

from netsuke.errors import UsageError
from netsuke.ir import Graph
from netsuke.models.alexnet import ALEXNET
from netsuke.models.densenet import DENSENET121
from netsuke.models.ds_cnn import DS_CNN
from netsuke.models.family import SHARED, Family
from netsuke.models.googlenet import GOOGLENET
from netsuke.models.lenet import LENET, LENET5, LENET_300_100
from netsuke.models.mnist_cnn import MNIST_CNN
from netsuke.models.mobilenet_v1 import MOBILENET_V1
from netsuke.models.mobilenet_v2 import MOBILENET_V2
from netsuke.models.mobilenet_v3 import MOBILENET_V3_LARGE, MOBILENET_V3_SMALL
from netsuke.models.resnet8 import RESNET8
from netsuke.models.resnet18 import RESNET18
from netsuke.models.resnet20 import RESNET20
from netsuke.models.shufflenet_v1 import SHUFFLENET_V1
from netsuke.models.shufflenet_v2 import SHUFFLENET_V2
from netsuke.models.squeezenet import SQUEEZENET
from netsuke.models.vgg16 import VGG16
from netsuke.spec import parse_spec

FAMILIES: tuple[Family, ...] = (
    *(ALEXNET, DENSENET121, DS_CNN, GOOGLENET, LENET, LENET5, LENET_300_100),
    *(MNIST_CNN, MOBILENET_V1, MOBILENET_V2, MOBILENET_V3_LARGE, MOBILENET_V3_SMALL),
    *(RESNET8, RESNET18, RESNET20, SHUFFLENET_V1, SHUFFLENET_V2, SQUEEZENET, VGG16),
)


def model_names() -> list[str]:
    """Names that `build` knows, sorted."""
    return sorted(family.name for family in FAMILIES)


def model_options(name: str) -> dict[str, str]:
    """Options of a network: option -> what it does."""
    return {**_family(name).options, **SHARED}


def is_model_name(spec: str) -> bool:
    """Whether a text names a network of the zoo, with or without options."""
    return spec.partition("?")[0] in model_names()


def _family(name: str) -> Family:
    for family in FAMILIES:
        if family.name == name:
            return family
    raise UsageError(f"no network is called {name!r}; known are {', '.join(model_names())}")


def build(spec: str) -> Graph:
    """Return a float graph with seeded initial (untrained) weights.

    Parameters
    ----------
    spec
        A name with options, such as ``mobilenet_v1?width=0.25&size=96&classes=2``.

    Raises
    ------
    UsageError
        When the name or an option is unknown or wrong.

    Examples
    --------
    >>> build("resnet8").parameters
    78666
    """
    options = parse_spec(spec)
    family = _family(options.place)
    return family.build(options.expect({**family.options, **SHARED}))
