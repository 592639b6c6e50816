"""Draw the figures of docs/metrics.md anew, and fill in its tables: `python -m docs.figures`."""

from docs.figures.page import update

update()
