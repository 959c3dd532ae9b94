"""Scaled dot-product attention (Vaswani et al. 2017, arXiv:1706.03762, equation 1)."""

from __future__ import annotations

import numpy as np

from netsuke.frontend.nchw.linear import matmul
from netsuke.frontend.nchw.pointwise import add, multiply, scalar
from netsuke.frontend.nchw.reduction import softmax
from netsuke.frontend.nchw.value import CannotImportError, Value
from netsuke.frontend.torch.registry import Call, converts

_HIDDEN = -1e9
"""Added to the scores of places that a query must not see; e to it is 0 in float32."""


@converts(
    "scaled_dot_product_attention",
    "_scaled_dot_product_attention_math",
    "_scaled_dot_product_flash_attention_for_cpu",
)
def attention(call: Call) -> tuple[Value, ...]:
    """softmax(q kᵀ · scale + mask) v."""
    s, query, key, value = call.session, call["query"], call["key"], call["value"]
    if call.get("dropout_p", 0.0):
        raise CannotImportError("drops out")
    scale = call.get("scale") or query.shape[-1] ** -0.5
    order = [*range(key.rank - 2), key.rank - 1, key.rank - 2]
    scores = matmul(s, query, s.transpose(key, order))
    scores = multiply(s, scores, scalar(s, float(scale)))
    mask = call.get("attn_mask")
    if call.get("is_causal", False):
        rows, columns = scores.shape[-2:]
        later = np.triu(np.full((rows, columns), _HIDDEN, np.float32), 1)
        mask = s.constant(f"{s.next_label}.causal", later)
    if mask is not None:
        if mask.dtype == "bool" and mask.data is not None:
            mask = s.constant(mask.label, np.where(mask.data, 0.0, _HIDDEN).astype(np.float32))
        scores = add(s, scores, mask)
    return (matmul(s, softmax(s, scores, -1), value),)
