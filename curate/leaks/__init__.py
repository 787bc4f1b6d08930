"""Eval rows in training rows: who counts as a leak, where to look, and the evidence side by side."""
