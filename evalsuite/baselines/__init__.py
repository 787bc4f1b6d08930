"""Baselines: how far a strong prompt gets. `compose` writes the prompts, `measure` runs, chooses and records them.

Choices are made on dev; the eval set is then answered by the best prompt and by the composed few-shot one.
"""
