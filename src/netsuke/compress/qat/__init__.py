"""Quantization-aware training: weights and ranges learn within the integers that ship."""

from netsuke.compress.qat.finetune import finetune_quantized, tune
from netsuke.compress.qat.module import QuantizedModule

__all__ = ["QuantizedModule", "finetune_quantized", "tune"]
