"""m2cgen: many models, in doubles."""

from __future__ import annotations

from typing import Any

from rig import Firmware

from peers import Refused

VARIANTS = ("double",)

ARGMAX = """
static int decide(void)
{{
    static double s[{outputs}];
    int best = 0;
    score(x_in, s);
    for (int i = 1; i < {outputs}; i++)
        if (s[i] > s[best])
            best = i;
    return best;
}}
"""


def firmware(estimator: Any, variant: str, integers: bool) -> Firmware:
    """C of m2cgen; on an AVR a double is a float."""
    import m2cgen

    try:
        text = m2cgen.export_to_c(estimator)
    except Exception as error:
        raise Refused(f"{type(error).__name__}: {str(error)[:60]}") from error
    if "double * output" not in text:
        return Firmware(text, "score((double *)x_in) > 0", "float")
    extern = f"extern float x_in[{estimator.n_features_in_}];\n#define x_in ((double *)x_in)\n"
    decide = ARGMAX.format(outputs=len(estimator.classes_))
    return Firmware(f"{text}\n{extern}{decide}#undef x_in\n", "decide()", "float")
