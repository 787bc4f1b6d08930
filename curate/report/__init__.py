"""The report of an audit, or of a comparison, as one page: what it says (`model`, `build`), its plots, its HTML.

A page is one HTML file that needs nothing else: no script, no font, no request. The same input gives the same bytes: no
clock and no random number enters. Rows are shown with personal data masked. May import `sluice.core` and
`sluice.curate`; altair and vl-convert only where a plot is drawn.
"""
