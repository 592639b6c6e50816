"""The metrics of video grounding, as pure functions over arrays.

Conventions, everywhere:

- Boxes are [x1, y1, x2, y2], continuous, x right and y down; area is
  (x2 - x1)(y2 - y1). A pixel (row i, column j) is the unit square
  [j, j+1) x [i, i+1).
- Intervals of time are half-open [start, end).
- NaN stands for "none"; every score is a fraction in [0, 1].

Sources: Chen et al., "What, when, and where?" (CVPR 2024), section 4, for the
metrics of GroundingYouTube, which the paper defines in prose; the evaluation
protocol of this package (docs/protocol.md) for every choice the prose leaves open.
"""
