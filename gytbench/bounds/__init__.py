"""Floors and ceilings: predictions made from the annotations alone.

A floor looks at no video: what it scores, anyone scores. A ceiling is told the
answer, or part of it: what it scores bounds what a system can.
"""

from gytbench.bounds.references import reference_results
from gytbench.bounds.registry import BOUNDS, REFERENCES, Bound, find_bound, make_bound

__all__ = ["BOUNDS", "REFERENCES", "Bound", "find_bound", "make_bound", "reference_results"]
