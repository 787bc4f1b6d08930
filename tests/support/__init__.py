"""What tests stand on: a tiny model, whole projects, roads, and drivers that kill command lines. It holds no tests."""
