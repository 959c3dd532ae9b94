"""The small C around a model that moves samples in and out, generated for one graph."""

from __future__ import annotations

from pathlib import PurePosixPath

from netsuke.ir import Graph

DRIVER = PurePosixPath("netsuke_driver.c")

FACE = "void *model_input(int index);\nvoid model_invoke(void);\n"
"""What every artifact offers at last, see `netsuke.verify.pushed`."""

_RUN = """
/* Run samples one after another: copy in, infer, copy out. */
void netsuke_run(uint32_t count, const uint8_t *const *inputs, uint8_t *const *outputs)
{{
    for (uint32_t sample = 0; sample < count; sample++) {{
{copies}
    }}
}}
"""


def driver(graph: Graph) -> bytes:
    """C with ``netsuke_run``, and a check that the header's sizes are the graph's."""
    head = '#include "model.h"\n#include <stdint.h>\n#include <string.h>\n' + FACE
    return (head + _checks(graph) + _RUN.format(copies=_copies(graph))).encode()


def _sizes(graph: Graph) -> list[tuple[str, int, int]]:
    return [
        (kind, index, graph.tensors[name].size)
        for kind, names in (("INPUT", graph.inputs), ("OUTPUT", graph.outputs))
        for index, name in enumerate(names)
    ]


def _checks(graph: Graph) -> str:
    """An array of negative length stops the compiler where header and graph disagree."""
    return "".join(
        f"typedef char netsuke_{kind.lower()}_{index}_size"
        f"[MODEL_{kind}_{index}_BYTES == {size} ? 1 : -1];\n"
        for kind, index, size in _sizes(graph)
    )


def _copies(graph: Graph) -> str:
    into, out = [], []
    for kind, index, size in _sizes(graph):
        if kind == "INPUT":
            into.append(
                f"        memcpy(model_input({index}), "
                f"inputs[{index}] + (size_t)sample * {size}u, {size}u);"
            )
        else:
            out.append(
                f"        memcpy(outputs[{index}] + (size_t)sample * {size}u, "
                f"model_output({index}), {size}u);"
            )
    return "\n".join([*into, "        model_invoke();", *out])


_MAIN = """#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

void netsuke_run(uint32_t count, const uint8_t *const *inputs, uint8_t *const *outputs);

static const size_t input_sizes[] = {{{inputs}, 0}};
static const size_t output_sizes[] = {{{outputs}, 0}};

/* A buffer a sample and port, exactly as long as it may be, so that a sanitizer sees every byte
   that is read or written beside it. */
int main(int argc, char **argv)
{{
    if (argc != 4) {{
        return 2;
    }}
    long count = atol(argv[1]);
    FILE *in = fopen(argv[2], "rb"), *out = fopen(argv[3], "wb");
    if (!in || !out) {{
        return 3;
    }}
    for (long sample = 0; sample < count; sample++) {{
        uint8_t *inputs[{input_count} + 1], *outputs[{output_count} + 1];
        for (int i = 0; i < {input_count}; i++) {{
            inputs[i] = malloc(input_sizes[i] ? input_sizes[i] : 1);
            if (fread(inputs[i], 1, input_sizes[i], in) != input_sizes[i]) {{
                return 4;
            }}
        }}
        for (int i = 0; i < {output_count}; i++) {{
            outputs[i] = malloc(output_sizes[i] ? output_sizes[i] : 1);
        }}
        netsuke_run(1, (const uint8_t *const *)inputs, outputs);
        for (int i = 0; i < {output_count}; i++) {{
            if (fwrite(outputs[i], 1, output_sizes[i], out) != output_sizes[i]) {{
                return 5;
            }}
            free(outputs[i]);
        }}
        for (int i = 0; i < {input_count}; i++) {{
            free(inputs[i]);
        }}
    }}
    return fclose(out) ? 6 : 0;
}}
"""


def main_program(graph: Graph) -> bytes:
    """C of a program ``program COUNT INPUTS OUTPUTS``; files hold each sample port by port."""
    inputs = [str(size) for kind, _, size in _sizes(graph) if kind == "INPUT"]
    outputs = [str(size) for kind, _, size in _sizes(graph) if kind == "OUTPUT"]
    return _MAIN.format(
        inputs=", ".join(inputs) or "0",
        outputs=", ".join(outputs) or "0",
        input_count=len(inputs),
        output_count=len(outputs),
    ).encode()
