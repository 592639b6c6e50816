"""What is asked of each video, on the demo's annotations and on the released ones."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from gytbench.benchmark import Benchmark, FrameClock, Instance, load_benchmark
from gytbench.demo import write_annotations
from gytbench.demo.annotations import VIDEOS
from gytbench.errors import InputError
from gytbench.grounding.contract import Asked
from gytbench.grounding.questions import BACKGROUND, POOLS, Question, described, questions

FOREVER = range(100_000)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("demo")
    write_annotations(path)
    return path


@pytest.fixture(scope="module")
def demo(folder: Path) -> Benchmark:
    return load_benchmark(data=folder)


def by_video(found: Sequence[Question]) -> dict[str, Question]:
    assert [question.video for question in found] == sorted({q.video for q in found})
    return {question.video: question for question in found}


def rows(folder: Path, name: str) -> dict[str, list[Any]]:
    text = (folder / "groundingyoutube" / name).read_text(encoding="utf-8")
    return json.loads(text)  # type: ignore[no-any-return]


def question(*cues: tuple[float, float], clips: Sequence[tuple[float, float]] = ()) -> Question:
    """Of steps a, b, c, ... or of clips that are described the same."""
    return Question(
        "v",
        ("a", "b", "c", BACKGROUND),
        clips=tuple(Instance("v", n, *clip, "crack_egg", "a") for n, clip in enumerate(clips)),
        cues=tuple(Instance("v", n, *cue, "abc"[n], "abc"[n]) for n, cue in enumerate(cues)),
    )


# Pools


def test_steps_are_described_in_words() -> None:
    assert described("crack_egg_into_bowl") == "crack egg into bowl"
    assert described(BACKGROUND) == BACKGROUND


def test_demo_pool_of_instances(demo: Benchmark, folder: Path) -> None:
    found = by_video(questions(demo, "st"))
    assert list(found) == sorted(VIDEOS)
    for video, segments in rows(folder, "seg.json").items():
        lasting = {row["sentence"] for row in segments if row["segment"][0] < row["segment"][1]}
        assert set(found[video].labels) == {demo.classes.name_of(step) for step in lasting}
        assert len(found[video].labels) == len(set(found[video].labels))
        assert (found[video].clips, found[video].cues) == ((), ())


def test_demo_pool_of_steps(demo: Benchmark, folder: Path) -> None:
    found = by_video(questions(demo, "st", "steps"))
    for video, steps in rows(folder, "vid2step.json").items():
        names = [step.replace(" ", "_") for step in steps if step != BACKGROUND]
        assert list(found[video].labels) == names


def test_demo_pool_of_all(demo: Benchmark) -> None:
    found = questions(demo, "st", "all")
    assert [q.video for q in found] == sorted(VIDEOS)
    assert {q.labels for q in found} == {demo.classes.names}


def test_a_video_without_instances_is_asked_only_about_all(demo: Benchmark) -> None:
    without = tuple(each for each in demo.instances if each.video != VIDEOS[0])
    partial = replace(demo, instances=without, read_pools=lambda: {VIDEOS[0]: ()})
    assert VIDEOS[0] not in {q.video for q in questions(partial, "st")}
    assert VIDEOS[0] not in {q.video for q in questions(partial, "spatial")}
    assert questions(partial, "st", "steps") == []
    assert VIDEOS[0] in {q.video for q in questions(partial, "st", "all")}


def test_steps_as_classes_are_their_own_labels(folder: Path) -> None:
    by_step = load_benchmark(data=folder, classes="step")
    steps = {instance.step for instance in by_step.instances}
    assert {label for q in questions(by_step, "st") for label in q.labels} == steps


def test_unknown_pool_and_missing_steps(demo: Benchmark, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no pool 'step': there are instances, steps, all"):
        questions(demo, "st", "step")  # type: ignore[arg-type]
    write_annotations(tmp_path)
    (tmp_path / "groundingyoutube" / "vid2step.json").unlink()
    partial = load_benchmark(data=tmp_path)
    assert len(questions(partial, "st")) == len(VIDEOS)
    with pytest.raises(InputError, match=r"vid2step\.json"):
        questions(partial, "st", "steps")


def test_released_pools(benchmark: Benchmark) -> None:
    pools = {pool: by_video(questions(benchmark, "st", pool)) for pool in POOLS}
    for found in pools.values():
        assert list(found) == list(benchmark.videos)
        assert all(len(q.labels) == len(set(q.labels)) for q in found.values())
    assert sum(len(q.labels) for q in pools["instances"].values()) == len(
        {(each.video, each.label) for each in benchmark.instances}
    )
    assert {q.labels for q in pools["all"].values()} == {benchmark.classes.names}
    assert len(benchmark.classes.names) == 512


def test_released_steps_stand_for_their_classes_once(benchmark: Benchmark) -> None:
    left_out = 0
    for video, asked in by_video(questions(benchmark, "st", "steps")).items():
        seen, first = set(), []
        for step in benchmark.pools[video]:
            name = benchmark.classes.name_of(step)
            if name not in seen:
                first.append(step)
            seen.add(name)
        assert list(asked.labels) == first
        assert BACKGROUND not in asked.labels
        left_out += len(benchmark.pools[video]) - len(first)
    assert left_out > 0


# Clips


def test_demo_clips_are_the_instances(demo: Benchmark) -> None:
    found = questions(demo, "spatial")
    clips = [clip for q in found for clip in q.clips]
    assert sorted(clips) == sorted(demo.instances)
    for q in found:
        assert q.labels == ()
        asked = q.asked_of_clips(FOREVER)
        assert [each.instance for each in asked] == [clip.id for clip in q.clips]
        for each, clip in zip(asked, q.clips, strict=True):
            assert each.query == clip.step.replace("_", " ")
            assert list(each.seconds) == [s for s in FOREVER[:1000] if clip.start <= s < clip.end]


def test_released_clips_are_described_by_their_raw_steps(benchmark: Benchmark) -> None:
    asked = [each for q in questions(benchmark, "spatial") for each in q.asked_of_clips(FOREVER)]
    assert len(asked) == 5091
    assert len({each.query for each in asked}) == len({i.step for i in benchmark.instances}) == 689


def test_clips_end_with_the_video() -> None:
    asked = question(clips=[(0, 4), (8, 12), (9, 10), (10, 14), (300, 304)])
    assert asked.asked_of_clips(range(10)) == [
        Asked("crack egg", range(4), 0),
        Asked("crack egg", range(8, 10), 1),
        Asked("crack egg", range(9, 10), 2),
    ]
    assert asked.asked_of_clips(range(0)) == []
    assert len(asked.asked_of_clips(range(304))) == 5


def test_a_clip_that_covers_no_whole_second_is_not_asked() -> None:
    asked = question(clips=[(2.25, 2.75), (2.5, 3.5)]).asked_of_clips(range(10))
    assert asked == [Asked("crack egg", range(3, 4), 1)]


# Transcripts


@pytest.mark.parametrize(
    ("cues", "seconds", "expected"),
    [
        ([(0, 2), (2, 4), (4, 6)], 6, "a b c"),
        ([(0.5, 2), (2, 4), (4, 6)], 6, "- a b c"),
        ([(0, 2), (2.001, 4), (4, 6)], 6, "a - b c"),
        ([(0, 2.5), (2, 4), (4, 6)], 6, "a b c"),
        ([(1, 2), (3, 4), (5, 6)], 9, "- a - b - c -"),
        # The second that the last step ends in is its own; the next one is background.
        ([(0, 2.5)], 3, "a"),
        ([(0, 2.5)], 4, "a -"),
        ([(0, 3)], 3, "a"),
        ([(0, 3)], 4, "a -"),
        # The order is given even where the video is cut off.
        ([(1, 2), (3, 4), (5, 6)], 3, "- a - b - c"),
        ([], 5, ""),
    ],
)
def test_transcript_has_background_where_no_step_adjoins(
    cues: list[tuple[float, float]], seconds: int, expected: str
) -> None:
    names = {"-": BACKGROUND}
    transcript = [names.get(name, name) for name in expected.split()]
    assert question(*cues).transcript(range(seconds)) == transcript


def slow_transcript(cues: Sequence[Instance], seconds: int) -> Iterator[str]:
    """From a list of borders: background in every gap."""
    reached = 0.0
    for cue in cues:
        if cue.start > reached:
            yield BACKGROUND
        yield cue.label
        reached = cue.end
    if any(second >= reached for second in range(seconds)):
        yield BACKGROUND


@pytest.mark.parametrize("more", [0, 1, 30])
def test_demo_transcripts(demo: Benchmark, more: int) -> None:
    found = by_video(questions(demo, "temporal", "all"))
    assert list(found) == sorted(VIDEOS)
    for video, asked in found.items():
        cues = sorted((c for c in demo.cues if c.video == video), key=lambda cue: cue.start)
        assert list(asked.cues) == cues
        assert asked.labels[-1] == BACKGROUND
        assert sorted(asked.labels[:-1]) == sorted({cue.label for cue in cues})
        seconds = int(cues[-1].end) + more
        assert asked.transcript(range(seconds)) == list(slow_transcript(cues, seconds))


def test_released_transcript_begins_as_in_miningyoutube(benchmark: Benchmark) -> None:
    """The first entries of its grammar, which is published as far as the fifth step."""
    asked = by_video(questions(benchmark, "temporal"))
    steps = ["crack_egg", "pour_egg", "beat_mixture", "add_pepper", "beat_mixture"]
    published = [name for step in steps for name in (BACKGROUND, step)]
    assert asked["-1okAudsnAc"].transcript(FOREVER)[:10] == published


def test_released_transcripts(benchmark: Benchmark) -> None:
    found = by_video(questions(benchmark, "temporal"))
    assert list(found) == list(benchmark.videos)
    for asked in found.values():
        transcript = asked.transcript(FOREVER)
        assert [each for each in transcript if each != BACKGROUND] == [c.label for c in asked.cues]
        assert set(transcript) <= set(asked.labels)
        assert (BACKGROUND, BACKGROUND) not in pairwise(transcript)
        assert transcript[-1] == BACKGROUND
    assert sum(len(asked.cues) for asked in found.values()) == 5129


# Times that count frames


def test_clips_in_frames_are_asked_in_the_seconds_that_they_touch() -> None:
    found = replace(question(clips=[(24, 51), (1, 26), (26, 27)]), clock=FrameClock(25, first=1))
    asked = [each.seconds for each in found.asked_of_clips(FOREVER)]
    # Frame 26 is the first of second 1, and frame 50 its last.
    assert asked == [range(2), range(1), range(1, 2)]
    assert [each.seconds for each in found.asked_of_clips(range(1))] == [range(1)] * 2
