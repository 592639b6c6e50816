"""Systems side by side under one protocol, as a table for the terminal."""

from collections.abc import Mapping

from tabulate import tabulate

from gytbench.evaluation import Result
from gytbench.report.tables import percent


def systems_table(
    results: Mapping[str, Result], references: Mapping[str, Result | str], title: str
) -> str:
    """A row for each system, between those of the floor and the ceilings; in percent.

    Means over classes and videos are left out, for width.

    results: by the name of the system, all under one protocol. references: the floors and
    ceilings of that protocol, the floor first; a text in place of a result is left out.
    """
    bounds = {name: found for name, found in references.items() if isinstance(found, Result)}
    floor, *ceilings = bounds
    shown = {f"{floor} (floor)": bounds[floor], **results}
    shown |= {f"{name} (ceiling)": bounds[name] for name in ceilings}
    metrics = [name for name in bounds[floor].metrics if not name.endswith("_mean")]
    rows = [
        [name, *(percent(result.metrics[metric]) for metric in metrics)]
        for name, result in shown.items()
    ]
    head = ["in percent", *(metric.replace("_", "\n").replace("@", "\n@") for metric in metrics)]
    aligned = ("left", *("right",) * len(metrics))
    table = tabulate(rows, headers=head, colalign=aligned, disable_numparse=True)
    return f"{title}\n\n{table}\n\nSignature: {bounds[floor].signature}"
