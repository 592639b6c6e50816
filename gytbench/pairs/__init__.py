"""Pairs of a human and an object: their prediction format, and V-HICO's own metric.

The shared prediction format has one region a time and cannot carry pairs, so they have a
small format of their own (docs/pairs.md).
"""

from gytbench.pairs.reading import is_pairs_file, load_pairs
from gytbench.pairs.references import pair_references
from gytbench.pairs.schema import PairFrame, PairPredictions
from gytbench.pairs.scoring import score_pairs
from gytbench.pairs.signature import pairs_signature, parse_pairs_signature

__all__ = [
    "PairFrame",
    "PairPredictions",
    "is_pairs_file",
    "load_pairs",
    "pair_references",
    "pairs_signature",
    "parse_pairs_signature",
    "score_pairs",
]
