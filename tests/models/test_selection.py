from dataclasses import dataclass
from itertools import product
from typing import get_args

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from gytbench.errors import InputError
from gytbench.models.selection import Embeddings, Method, select_frames, similarity
from gytbench.models.sinkhorn import sinkhorn

METHODS = get_args(Method)
BY_NAMING = ("sinkhorn", "sinkhorn-word-order")


def normal(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def first(n: int, *counts: int) -> torch.Tensor:
    """A mask, one row for each count, of the first so many of n."""
    return torch.arange(n) < torch.tensor(counts)[:, None]


def embeddings() -> Embeddings:
    shapes = {"text": (2, 8), "words": (2, 3, 8), "frames": (2, 4, 8), "regions": (2, 4, 5, 8)}
    return Embeddings(*(normal(*shape, seed=i) for i, shape in enumerate(shapes.values())))


def cosine(a: torch.Tensor, b: torch.Tensor) -> float:
    return float(a @ b / (a.norm() * b.norm()))


def selected(scores: list[list[float]], keep: int, method: str, **settings: object) -> list[int]:
    return select_frames(torch.tensor([scores]), keep, method, **settings).indices[0].tolist()


# How words and frames, or regions, are alike


def expected_score(given: Embeddings, granularity: str, n: int, k: int, u: int) -> float:
    row = given.text[n] if granularity.startswith("text") else given.words[n, k]
    if granularity.endswith("frame"):
        return cosine(row, given.frames[n, u])
    return sum(cosine(row, region) for region in given.regions[n, u]) / given.regions.shape[2]


@pytest.mark.parametrize(
    ("granularity", "rows"),
    [("text-frame", 1), ("text-region", 1), ("word-frame", 3), ("word-region", 3)],
)
def test_scores_are_cosines_by_temperature(granularity, rows) -> None:
    given = embeddings()
    scores = similarity(given, granularity, temperature=0.5)
    assert scores.shape == (2, rows, 4)
    for n, k, u in product(range(2), range(rows), range(4)):
        expected = expected_score(given, granularity, n, k, u) / 0.5
        assert scores[n, k, u] == pytest.approx(expected)


def test_the_default_is_the_average_of_frames_and_regions() -> None:
    given = embeddings()
    both = similarity(given, "word-frame") + similarity(given, "word-region")
    torch.testing.assert_close(similarity(given), both / 2)
    torch.testing.assert_close(similarity(given), similarity(given, "average", temperature=0.1))


def test_regions_can_be_summed() -> None:
    given = embeddings()
    summed, mean = (similarity(given, "word-region", pooling=how) for how in ("sum", "mean"))
    torch.testing.assert_close(summed, 5 * mean)


def test_without_cosines_lengths_count() -> None:
    given = embeddings()
    settings = {"granularity": "word-frame", "cosine": False, "temperature": 1}
    scores = similarity(given, **settings)
    assert scores[1, 2, 3] == pytest.approx(float(given.words[1, 2] @ given.frames[1, 3]))
    longer = given._replace(words=2 * given.words)
    torch.testing.assert_close(similarity(longer, **settings), 2 * scores)
    torch.testing.assert_close(similarity(longer), similarity(given))


@pytest.mark.parametrize(
    "settings", [{"granularity": "pixel"}, {"temperature": 0}, {"pooling": "max"}]
)
def test_similarities_that_do_not_exist_are_refused(settings) -> None:
    with pytest.raises(InputError, match=next(iter(settings))):
        similarity(embeddings(), **settings)


# Which frames are kept

# Frames 0 to 2 show the first word and are the most alike on average; 4 the second word
# and 6 the third.
THREE_WORDS = [
    [0.90, 0.91, 0.89, 0.1, 0.1, 0.1, 0.1, 0.1],
    [0.30, 0.30, 0.30, 0.1, 0.6, 0.1, 0.1, 0.1],
    [0.30, 0.30, 0.30, 0.1, 0.1, 0.1, 0.6, 0.1],
]


@pytest.mark.parametrize("method", BY_NAMING)
def test_sinkhorn_spreads_over_words_where_the_mean_keeps_near_duplicates(method) -> None:
    assert selected(THREE_WORDS, 3, "top") == [0, 1, 2]
    assert selected(THREE_WORDS, 3, method) == [1, 4, 6]


def test_of_the_frames_that_words_name_those_with_most_mass_go_first() -> None:
    # Near-duplicates share the mass of their word, so that each has less of it.
    assert selected(THREE_WORDS, 2, "sinkhorn") == [4, 6]
    assert selected(THREE_WORDS, 2, "sinkhorn-word-order") == [1, 4]


def test_of_frames_with_equal_mass_the_more_similar_goes_first() -> None:
    # What makes a frame more similar to all words leaves Q as it is.
    scores = [[1.0, 0.5], [0.0, 1.5]]
    assert selected(scores, 1, "sinkhorn", epsilon=0.5, iterations=100) == [1]


def test_a_frame_that_all_words_like_is_not_named_by_all() -> None:
    # Each word alone would name frame 0; equal shares of frames leave it to the first.
    scores = [[0.9, 0.1, 0.1], [0.8, 0.7, 0.1], [0.8, 0.1, 0.7]]
    q = sinkhorn(torch.tensor([scores])).exp()[0]
    assert q.argmax(dim=1).tolist() == [0, 1, 2]
    assert selected(scores, 2, "top") == [0, 1]
    assert selected(scores, 3, "sinkhorn") == [0, 1, 2]


# Frames 0, 2 and 3 are those of one word each; 1 and 4 are second to two of them.
SURE = [
    [0.50, 0.20, 0.00, 0.00, 0.00],
    [0.00, 0.00, 0.60, 0.00, 0.00],
    [0.00, 0.00, 0.00, 0.70, 0.10],
]


def test_the_surest_of_the_frames_that_words_name_go_first_or_those_of_the_first_words() -> None:
    q = sinkhorn(torch.tensor([SURE]), epsilon=0.5).exp()[0]
    named = q.max(dim=1)
    assert named.indices.tolist() == [0, 2, 3]
    surest = named.values.argsort(descending=True)[:2]
    by_mass = sorted(named.indices[surest].tolist())
    assert by_mass == [2, 3]
    assert selected(SURE, 2, "sinkhorn", epsilon=0.5) == by_mass
    assert selected(SURE, 2, "sinkhorn-word-order", epsilon=0.5) == [0, 2]


def test_once_all_words_have_a_frame_they_name_their_second() -> None:
    assert selected(SURE, 3, "sinkhorn", epsilon=0.5) == [0, 2, 3]
    assert selected(SURE, 4, "sinkhorn-word-order", epsilon=0.5) == [0, 1, 2, 3]


@pytest.mark.parametrize("method", BY_NAMING)
@pytest.mark.parametrize("seed", range(5))
def test_every_words_first_frame_is_kept_where_there_is_room(method, seed) -> None:
    scores = normal(4, 6, 16, seed=seed)
    wanted = sinkhorn(scores, epsilon=0.3).argmax(dim=2)
    indices = select_frames(scores, 8, method, epsilon=0.3).indices
    for words, frames in zip(wanted.tolist(), indices.tolist(), strict=True):
        assert set(words) <= set(frames)


@pytest.mark.parametrize("seed", range(5))
def test_in_word_order_the_first_words_frames_are_kept(seed) -> None:
    scores = normal(4, 20, 16, seed=seed)
    wanted = sinkhorn(scores).argmax(dim=2).tolist()
    indices = select_frames(scores, 8, "sinkhorn-word-order").indices.tolist()
    for words, frames in zip(wanted, indices, strict=True):
        in_order = list(dict.fromkeys(words))
        assert set(in_order[:8]) <= set(frames)
        assert len(in_order) < 8 or sorted(in_order[:8]) == frames


def test_for_a_single_word_the_similarity_decides() -> None:
    scores = [[0.1, 0.5, 0.3, 0.4, 0.2]]
    for method in ("top", *BY_NAMING):
        assert selected(scores, 2, method) == [1, 3]
    # With pads beside it, it is still the only word.
    padded = [*scores, [9.0, 0.0, 0.0, 0.0, 9.0]]
    assert selected(padded, 2, "sinkhorn", word_mask=first(2, 1)) == [1, 3]


@pytest.mark.parametrize("levels", [[0.0, 0.0, 0.0], [0.0, 0.7, -0.4]])
def test_words_that_like_the_same_frames_are_as_a_single_word(levels) -> None:
    # All masses are then equal but for rounding, which must not choose.
    once = normal(20, 1, 16).float()
    found = select_frames(once + torch.tensor(levels)[:, None], 8).indices
    assert torch.equal(found, select_frames(once, 8).indices)


@pytest.mark.parametrize("method", METHODS)
def test_among_equal_frames_the_earlier_are_kept(method) -> None:
    scores = torch.zeros(2, 3, 5)
    expected = {"uniform": [0, 2]}.get(method, [0, 1])
    assert select_frames(scores, 2, method).indices.tolist() == [expected] * 2
    nothing = select_frames(normal(1, 3, 5), 2, method, word_mask=first(3, 0))
    assert nothing.indices.tolist() == [expected]


def test_uniform_is_every_second_of_sixteen() -> None:
    indices = select_frames(torch.zeros(1, 1, 16), 8, "uniform").indices
    assert indices.tolist() == [list(range(0, 16, 2))]


@given(frames=st.integers(1, 20), keep=st.integers(1, 20))
def test_uniform_spreads_the_frames_that_are_there(frames, keep) -> None:
    found = select_frames(torch.zeros(1, 1, 20), keep, "uniform", frame_mask=first(20, frames))
    expected = sorted({i * frames // keep for i in range(keep)})
    assert found.indices[found.mask].tolist() == expected


@dataclass
class Case:
    scores: torch.Tensor
    keep: int
    word_mask: torch.Tensor
    frame_mask: torch.Tensor


@st.composite
def cases(draw: st.DrawFn) -> Case:
    n, words, frames = (draw(st.integers(1, most)) for most in (3, 5, 9))
    values = st.sampled_from([0.0, 0.5, -1.0, 1e4]) | st.floats(-1, 1)
    size = n * words * frames
    scores = torch.tensor(draw(st.lists(values, min_size=size, max_size=size)))
    masks = (
        torch.tensor(draw(st.lists(st.booleans(), min_size=n * each, max_size=n * each)))
        for each in (words, frames)
    )
    shaped = (mask.view(n, -1) for mask in masks)
    return Case(scores.view(n, words, frames), draw(st.integers(1, 10)), *shaped)


@given(case=cases(), method=st.sampled_from(METHODS))
def test_frames_are_always_different_and_in_order(case, method) -> None:
    masks = {"word_mask": case.word_mask, "frame_mask": case.frame_mask}
    found = select_frames(case.scores, case.keep, method, **masks)
    n, _, frames = case.scores.shape
    kept = min(case.keep, frames)
    assert found.indices.shape == found.mask.shape == (n, kept)
    assert found.indices.dtype == torch.int64
    assert (found.indices.diff(dim=1) > 0).all()
    assert found.indices.min() >= 0
    assert found.indices.max() < frames
    # What is there is kept before what is not.
    there = case.frame_mask.sum(dim=1)
    assert found.mask.sum(dim=1).tolist() == there.clamp(max=kept).tolist()
    assert torch.equal(found.mask, case.frame_mask.gather(1, found.indices))


@pytest.mark.parametrize("garbage", [100.0, torch.nan])
@pytest.mark.parametrize("method", METHODS)
def test_pads_count_for_nothing(method, garbage) -> None:
    scores = normal(3, 4, 9)
    padded = torch.full((3, 6, 12), garbage, dtype=torch.float64)
    padded[:, :4, :9] = scores
    masks = {"word_mask": first(6, 4, 4, 4), "frame_mask": first(12, 9, 9, 9)}
    found = select_frames(padded, 5, method, **masks)
    assert torch.equal(found.indices, select_frames(scores, 5, method).indices)
    assert found.mask.all()


@pytest.mark.parametrize("method", ["sinkhorn", "top"])
def test_the_order_of_words_and_frames_does_not_matter(method) -> None:
    scores = normal(3, 4, 9)
    words, frames = torch.tensor([2, 0, 3, 1]), torch.tensor([5, 8, 0, 2, 7, 1, 4, 6, 3])
    moved = select_frames(scores[:, words][:, :, frames], 5, method).indices
    kept = select_frames(scores, 5, method).indices
    assert torch.equal(frames[moved].sort(dim=1).values, kept)


@pytest.mark.parametrize("method", METHODS)
def test_a_sample_does_not_depend_on_the_others(method) -> None:
    scores, masks = normal(4, 5, 9), {"word_mask": first(5, 5, 3, 1, 2)}
    together = select_frames(scores, 4, method, **masks).indices
    for i in range(4):
        alone = select_frames(scores[i : i + 1], 4, method, word_mask=masks["word_mask"][i : i + 1])
        assert torch.equal(alone.indices[0], together[i])


@pytest.mark.parametrize(
    ("settings", "said"),
    [({"keep": 0}, "keep"), ({"method": "random"}, "method"), ({"epsilon": -1}, "epsilon")],
)
def test_settings_without_sense_are_refused(settings, said) -> None:
    with pytest.raises(InputError, match=said):
        select_frames(torch.zeros(1, 2, 3), **settings)
