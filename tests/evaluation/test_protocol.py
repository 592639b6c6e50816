"""Options and signatures."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gytbench.benchmark import Benchmark, ClassMap
from gytbench.errors import InputError
from gytbench.evaluation import AVERAGES, Protocol, parse_signature


def benchmark_named(release: str = "published", subset: str = "all") -> Benchmark:
    return Benchmark(
        classes=ClassMap("mining512", ("stir",), {"stir": 0}),
        frames={"a": (640, 480)},
        instances=(),
        boxes={},
        data="groundingyoutube",
        release=release,
        release_sha256="d0c54512" + "0" * 56,
        subset=subset,
    )


def test_the_signature_of_every_task() -> None:
    benchmark = benchmark_named()
    common = "data:groundingyoutube|boxes:published@d0c54512|classes:mining512|subset:all"
    ranked = "ap:all-point|ties:grouped|missing:miss"
    assert Protocol("st").signature(benchmark) == (
        f"gytbench:1.0|task:st|{common}|point:cell-first|region:0.5|tube:volumetric|"
        f"match:next-best|{ranked}"
    )
    assert Protocol("spatial", tolerance=7.5).signature(benchmark) == (
        f"gytbench:1.0|task:spatial|{common}|point:cell-first|tolerance:7.5|region:0.5|"
        f"overlap:0.3|{ranked}"
    )
    assert Protocol("temporal", average="isba", fps=29.97).signature(benchmark) == (
        "gytbench:1.0|task:temporal|data:local|classes:mining512|average:isba|time:29.97fps|"
        "missing:miss"
    )


PROTOCOLS = st.one_of(
    st.builds(
        Protocol,
        task=st.just("st"),
        boxes=st.sampled_from(["published", "readme", "full"]),
        classes=st.sampled_from(["mining512", "step"]),
        subset=st.sampled_from(["all", "3to20"]),
        heatmap_threshold=st.floats(1e-6, 1),
    ),
    st.builds(
        Protocol,
        task=st.just("spatial"),
        boxes=st.sampled_from(["published", "readme", "full"]),
        tolerance=st.floats(0, 100),
    ),
    st.builds(
        Protocol,
        task=st.just("temporal"),
        average=st.sampled_from(AVERAGES),
        fps=st.none() | st.floats(0.1, 120),
    ),
)


@given(PROTOCOLS)
def test_a_signature_parses_back_into_its_options(protocol: Protocol) -> None:
    benchmark = benchmark_named(protocol.boxes, protocol.subset)
    assert parse_signature(protocol.signature(benchmark)) == protocol


@pytest.mark.parametrize(
    "change",
    [
        ("gytbench:1.0", "gytbench:2.0"),
        ("|region:0.5", ""),
        ("region:0.5", "region:half"),
        ("tube:volumetric", "tube:product"),
        ("task:st", "task:everything"),
        ("|missing:miss", "|missing:miss|extra:1"),
    ],
)
def test_a_signature_of_other_choices_is_refused(change: tuple[str, str]) -> None:
    signature = Protocol("st").signature(benchmark_named())
    assert parse_signature(signature) == Protocol("st")
    with pytest.raises(InputError):
        parse_signature(signature.replace(*change))


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"task": "spatio"}, "st, spatial, temporal"),
        ({"task": "st", "tolerance": 3.0}, "--tolerance has no meaning for the task 'st'"),
        ({"task": "temporal", "boxes": "full"}, "--boxes has no meaning"),
        ({"task": "temporal", "subset": "3to20"}, "--subset has no meaning"),
        ({"task": "st", "fps": 5.0}, "--fps has no meaning"),
        ({"task": "temporal", "average": "micro"}, "video-class, isba, frames-micro, videogem"),
        ({"task": "st", "heatmap_threshold": 0.0}, "--heatmap-threshold"),
        ({"task": "st", "heatmap_threshold": float("nan")}, "--heatmap-threshold"),
        ({"task": "spatial", "tolerance": -1.0}, "--tolerance"),
        ({"task": "spatial", "tolerance": float("inf")}, "--tolerance"),
        ({"task": "temporal", "fps": 0.0}, "--fps"),
        ({"task": "temporal", "fps": float("nan")}, "--fps"),
    ],
)
def test_options_that_cannot_be(options: dict[str, Any], said: str) -> None:
    with pytest.raises(InputError, match=said):
        Protocol(**options)
