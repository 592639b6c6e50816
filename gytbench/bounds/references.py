"""The floors and ceilings that stand beside a result, scored as the result is."""

from gytbench.benchmark import Benchmark
from gytbench.bounds.registry import BOUNDS, REFERENCES, make_bound
from gytbench.errors import InputError
from gytbench.evaluation import Protocol, Result, score


def reference_results(benchmark: Benchmark, protocol: Protocol) -> dict[str, Result | str]:
    """Results of the task's floors and ceilings under a protocol, the floor first.

    Where a file that one of them needs is missing, its place holds the reason.
    """
    results: dict[str, Result | str] = {}
    for name in REFERENCES[protocol.task]:
        if not BOUNDS[name].serves(benchmark):
            continue
        try:
            results[name] = score(make_bound(name, benchmark, protocol.task), benchmark, protocol)
        except InputError as error:
            results[name] = str(error).partition("\n")[0]
    return results
