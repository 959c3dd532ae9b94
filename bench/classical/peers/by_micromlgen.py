"""micromlgen: trees and forests in C++, features are floats."""

from __future__ import annotations

from typing import Any

from rig import Firmware

from peers import Refused

VARIANTS = ("float",)


def firmware(estimator: Any, variant: str, integers: bool) -> Firmware:
    """C++ of micromlgen."""
    import micromlgen

    try:
        text = micromlgen.port(estimator)
    except Exception as error:
        raise Refused(f"{type(error).__name__}: {str(error)[:60]}") from error
    if not text:
        raise Refused("unsupported")
    name = text.split("class ", 1)[1].split()[0]
    plain = text.replace("#pragma once", "").replace("#include <cstdarg>", "#include <stdarg.h>")
    head = f"{plain}\nstatic Eloquent::ML::Port::{name} model;\n"
    return Firmware(head, "model.predict(x_in)", "float", "c++")
