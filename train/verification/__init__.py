"""What `sluice verify` recomputes, a file for each sort of record: versions, facts, runs, adapters and models.

Each returns findings and raises nothing for what it finds. They may import everything below `sluice.cli`.
"""
