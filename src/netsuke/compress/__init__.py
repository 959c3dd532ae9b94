"""Smaller graph, nearly the same meaning: one file each."""
