"""Statistics for 20 to a few thousand rows: rates, paired differences and power.

Pure functions from numbers to numbers and small frozen records. Nothing here knows of files, graders, models or words
such as "better": `sluice.evalsuite.verdict` says the word. Imports numpy, scipy.special (inside functions: it takes
0.2 s to load) and `sluice.core` only.
"""
