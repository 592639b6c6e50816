"""Score, check and compare predictions on GroundingYouTube.

>>> import gytbench
>>> benchmark = gytbench.load_benchmark()  # doctest: +SKIP
>>> result = gytbench.evaluate("preds.json", task="st")  # doctest: +SKIP
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

if TYPE_CHECKING:
    from gytbench.benchmark import Benchmark, Instance, load_benchmark
    from gytbench.errors import Fault, InputError
    from gytbench.evaluation import Protocol, Result, evaluate, parse_signature
    from gytbench.predictions import (
        Predictions,
        PredictionWriter,
        Tube,
        load_predictions,
        save_predictions,
    )

_HOMES = {
    "Benchmark": "benchmark",
    "Fault": "errors",
    "InputError": "errors",
    "Instance": "benchmark",
    "PredictionWriter": "predictions",
    "Predictions": "predictions",
    "Protocol": "evaluation",
    "Result": "evaluation",
    "Tube": "predictions",
    "evaluate": "evaluation",
    "load_benchmark": "benchmark",
    "load_predictions": "predictions",
    "parse_signature": "evaluation",
    "save_predictions": "predictions",
}

__all__ = [
    "Benchmark",
    "Fault",
    "InputError",
    "Instance",
    "PredictionWriter",
    "Predictions",
    "Protocol",
    "Result",
    "Tube",
    "evaluate",
    "load_benchmark",
    "load_predictions",
    "parse_signature",
    "save_predictions",
]


def __getattr__(name: str) -> Any:
    """Load a name's home on first use: `import gytbench` itself stays instant."""
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module 'gytbench' has no attribute {name!r}")
    return getattr(import_module(f"gytbench.{home}"), name)


def __dir__() -> list[str]:
    return [*__all__, "__version__"]
