"""When two texts are alike: the one similarity, joins and clusters by it, and where two texts share words."""
