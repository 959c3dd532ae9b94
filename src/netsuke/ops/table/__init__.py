"""The kernel that every int8 function of one element shares; see `netsuke.ops.unary`."""
