"""Artifacts that are pushed their input, behind the face of those that read it from memory."""

from __future__ import annotations

from pathlib import PurePosixPath

from netsuke.ir import Graph

SOURCE = PurePosixPath("model_pushed.c")
ROW = "netsuke_row"
"""The symbol of the memory that holds a sample for the sake of the comparison."""


def pushing(graph: Graph, chunk: int = 1) -> bytes:
    """C of ``model_input`` and ``model_invoke`` on top of begin, push and end.

    Chunks are read where the sample lies: what fills a caller's buffer is no work of the model.
    """
    count = graph.tensors[graph.inputs[0]].elements
    step = f"i += {chunk}u" if chunk > 1 else "i++"
    value = f"{ROW} + i" if chunk > 1 else f"{ROW}[i]"
    return f"""#include "model.h"
#include <stdint.h>
void *model_input(int index);
void model_invoke(void);
model_input_0_t {ROW}[{max(count, 1)}];
void *model_input(int index)
{{
    return index == 0 ? {ROW} : 0;
}}
void model_invoke(void)
{{
    model_begin();
    for (uint16_t i = 0; i < {count}u; {step}) {{
        model_push({value});
    }}
    model_end();
}}
""".encode()
