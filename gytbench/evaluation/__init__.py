"""Score predictions against the benchmark under a stated protocol."""

from gytbench.evaluation.evaluate import evaluate, score
from gytbench.evaluation.protocol import AVERAGES, TUBE_THRESHOLDS, Protocol, parse_signature
from gytbench.evaluation.result import Result, Score, results_json

__all__ = [
    "AVERAGES",
    "TUBE_THRESHOLDS",
    "Protocol",
    "Result",
    "Score",
    "evaluate",
    "parse_signature",
    "results_json",
    "score",
]
