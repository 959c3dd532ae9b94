"""PyTorch: modules, exported programs and ``.pt2`` files become a `Graph`.

Everything goes through ``torch.export``; the operators are in the files of `operators/`, one
short function each. A ``.pt2`` file is read by PyTorch's own loader: load only files that you
trust as far as you trust that loader.
"""

from __future__ import annotations

from netsuke.frontend.torch.importer import from_module, load_pt2
from netsuke.frontend.torch.registry import supported_operators

__all__ = ["from_module", "load_pt2", "supported_operators"]
