"""Fixtures that every test may use: the released files, and the benchmark they make."""

import os
from pathlib import Path

import pytest
from hypothesis import settings

from gytbench.benchmark import Benchmark, find_data, load_benchmark
from gytbench.errors import InputError

# CI draws the same examples every time; elsewhere each run looks for new ones.
# A slow machine is no defect: examples have no time limit.
settings.register_profile("ci", derandomize=True, deadline=None)
settings.register_profile("anywhere", deadline=None)
settings.load_profile("ci" if os.environ.get("CI") == "true" else "anywhere")

_SHARED = Path(__file__).resolve().parents[2] / "shared"
_BESIDE = _SHARED / "data"


_LONGEST = ("tests/test_docs.py", "tests/grounding/test_every_adapter.py")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The longest files first, or one of several processes would end alone with them."""
    items.sort(key=lambda item: not item.nodeid.startswith(_LONGEST))


@pytest.fixture(scope="session")
def released() -> Path:
    """The folder of the released files: GYTBENCH_DATA, ../shared/data, or the cache.

    Without them a test is skipped; under CI=true it fails.
    """
    beside = _BESIDE if _BESIDE.is_dir() and not os.environ.get("GYTBENCH_DATA") else None
    try:
        return find_data(beside)
    except InputError as error:
        if os.environ.get("CI") == "true":
            pytest.fail(f"the released files are missing: {error}")
        pytest.skip(f"needs the released files: {error}")


@pytest.fixture(scope="session")
def benchmark(released: Path) -> Benchmark:
    """The default benchmark: published boxes, 512 classes, all instances."""
    return load_benchmark(data=released)


@pytest.fixture(scope="session")
def facts() -> Path:
    """The folder of reference outputs and of state dicts' names: ../shared/facts.

    Without it a test is skipped; under CI=true it fails.
    """
    folder = _SHARED / "facts"
    if folder.is_dir():
        return folder
    if os.environ.get("CI") == "true":
        pytest.fail(f"the reference outputs are missing: {folder}")
    pytest.skip("needs the reference outputs")
