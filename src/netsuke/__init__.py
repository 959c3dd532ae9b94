"""netsuke fits trained networks into devices that are too small for them."""
