"""Quantization-aware training: weights and ranges learn within the integers that ship."""

from netsuke.compress.qat.finetune import tune
from netsuke.compress.qat.module import QuantizedModule

__all__ = ["QuantizedModule", "tune"]
