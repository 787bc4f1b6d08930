"""Recipes: how an adapter is trained. `spine` is the one way in; `fit` and `trainer` never see a row, only tokens."""
