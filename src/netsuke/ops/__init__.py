"""What each operator means: one folder an operator.

`OPERATORS` is the list; deleting a folder and its line deletes the operator.
"""

from __future__ import annotations

from netsuke.ir import Op
from netsuke.ops.conv2d import Conv2d as Conv2d
from netsuke.ops.dense import Dense as Dense

OPERATORS: tuple[type[Op], ...] = (
    Conv2d,
    Dense,
)
