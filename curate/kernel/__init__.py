"""The compiled kernel: texts in Arrow buffers to n-grams, signatures, groups and proven near-equal pairs.

It does for hundreds of thousands of texts what `sluice.curate.similar.similarity` says of two: the same normal form,
the same n-grams, the same hashes, number for number (a property test holds them together). `fold` brings texts into
normal form, `compiled` holds every loop that numba compiles, `signatures` finds candidates, `survivors` decides in
order which texts stay, `holders` finds the few texts that can repeat a small set of others, `like` says how like one
text each of many is. It knows texts by number and nothing of rows, files or datasets. May import `sluice.core` and
`sluice.curate.similar.similarity`.

numba compiles at the first call and keeps the result beside this folder or in the user's cache, so small data (see
`duplicates`) takes the plain path and never waits for it.
"""
