"""How the small models learn: NumPy, gradients written out, the device's integers in the loop."""
