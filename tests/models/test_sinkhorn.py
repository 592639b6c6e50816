import numpy as np
import ot
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from gytbench.errors import InputError
from gytbench.models.sinkhorn import marginal_error, sinkhorn


def random_scores(*shape: int, seed: int = 0, dtype: torch.dtype = torch.float64) -> torch.Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(shape, generator=generator, dtype=torch.float64).to(dtype)


def first(n: int, *counts: int) -> torch.Tensor:
    """A mask, one row for each count, of the first so many of n."""
    return torch.arange(n) < torch.tensor(counts)[:, None]


def plain(scores: torch.Tensor, epsilon: float, iterations: int) -> torch.Tensor:
    """The slow twin for one sample: exp, then words and frames scaled in turn."""
    q = torch.exp(scores / epsilon)
    words, frames = q.shape
    for _ in range(iterations):
        for k in range(words):
            q[k] /= words * q[k].sum()
        for u in range(frames):
            q[:, u] /= frames * q[:, u].sum()
    return q


def close(found: torch.Tensor, expected: torch.Tensor, atol: float = 1e-12) -> None:
    torch.testing.assert_close(found, expected, rtol=0, atol=atol)


@pytest.mark.parametrize("iterations", [1, 3, 10])
@pytest.mark.parametrize(("dtype", "atol"), [(torch.float32, 1e-6), (torch.float64, 1e-14)])
def test_it_is_the_plain_form_where_that_is_finite(iterations, dtype, atol) -> None:
    scores = random_scores(3, 5, 7, dtype=dtype)
    q = sinkhorn(scores, epsilon=0.3, iterations=iterations).exp()
    assert q.dtype == dtype
    for found, sample in zip(q, scores, strict=True):
        close(found, plain(sample, 0.3, iterations), atol)


def test_by_default_it_is_that_of_swav() -> None:
    scores = random_scores(1, 5, 7) / 10
    close(sinkhorn(scores)[0].exp(), plain(scores[0], 0.05, 3))


def test_two_by_two_by_hand() -> None:
    # Q = [[x, y], [y, x]] keeps x^2 / y^2 = (4 * 1) / (1 * 1), and x + y = 1 / 2.
    scores = 0.7 * torch.tensor([[[4.0, 1.0], [1.0, 1.0]]], dtype=torch.float64).log()
    q = sinkhorn(scores, epsilon=0.7, iterations=100).exp()
    close(q, torch.tensor([[[1 / 3, 1 / 6], [1 / 6, 1 / 3]]], dtype=torch.float64))


def test_one_iteration_by_hand() -> None:
    # Words: 4 1 -> 2/5 1/10, 1 1 -> 1/4 1/4. Frames: 2/5 1/4 -> 4/13 5/26, 1/10 1/4 -> 1/7 5/14.
    scores = torch.tensor([[[4.0, 1.0], [1.0, 1.0]]], dtype=torch.float64).log()
    q = sinkhorn(scores, epsilon=1, iterations=1).exp()
    close(q, torch.tensor([[[4 / 13, 1 / 7], [5 / 26, 5 / 14]]], dtype=torch.float64))


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_both_marginals_are_equal_shares_to_the_tolerance(dtype) -> None:
    scores = random_scores(4, 20, 16, dtype=dtype)
    word_mask, frame_mask = first(20, 20, 7, 1, 12), first(16, 16, 16, 9, 3)
    masks = {"word_mask": word_mask, "frame_mask": frame_mask}
    log_q = sinkhorn(scores, **masks, epsilon=0.2, iterations=5000, tolerance=5e-7)
    q = log_q.exp()
    words = word_mask / word_mask.sum(1, keepdim=True, dtype=dtype)
    frames = frame_mask / frame_mask.sum(1, keepdim=True, dtype=dtype)
    close(q.sum(2), words, 1e-6)
    close(q.sum(1), frames, 1e-6)
    close(q.sum((1, 2)), torch.ones(4, dtype=dtype), 1e-6)
    off = torch.maximum((q.sum(2) - words).abs().amax(1), (q.sum(1) - frames).abs().amax(1))
    close(marginal_error(log_q, **masks), off, 1e-7)


def test_the_error_of_marginals_falls_as_iterations_go_on() -> None:
    scores = random_scores(2, 6, 5)
    errors = [marginal_error(sinkhorn(scores, iterations=n, epsilon=0.2)) for n in (1, 10, 100)]
    assert (errors[0] > 2 * errors[1]).all()
    assert (errors[1] > 2 * errors[2]).all()


def test_the_error_is_that_of_words_or_of_frames() -> None:
    by_frames = torch.tensor([[0.4, 0.1], [0.3, 0.2]])
    log_q = torch.stack([by_frames, by_frames.T, torch.full((2, 2), 0.25)]).log()
    close(marginal_error(log_q), torch.tensor([0.2, 0.2, 0.0]), 1e-6)


@pytest.mark.parametrize("epsilon", [0.1, 1.0])
def test_pot_finds_the_same(epsilon) -> None:
    scores = random_scores(2, 8, 5)
    q = sinkhorn(scores, epsilon=epsilon, iterations=5000, tolerance=1e-13).exp()
    for found, sample in zip(q.numpy(), scores.numpy(), strict=True):
        shares = np.full(8, 1 / 8), np.full(5, 1 / 5)
        expected = ot.sinkhorn(
            *shares, -sample, epsilon, method="sinkhorn_log", numItermax=5000, stopThr=1e-12
        )
        np.testing.assert_allclose(found, expected, rtol=0, atol=1e-9)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("sign", [1, -1])
def test_extreme_scores_stay_finite(dtype, sign) -> None:
    scores = sign * 1e4 * random_scores(1, 6, 5, dtype=dtype).abs()
    assert not plain(scores[0], 0.05, 3).isfinite().all()
    log_q = sinkhorn(scores)
    assert log_q.isfinite().all()
    close(log_q.exp().sum(1), torch.full((1, 5), 1 / 5, dtype=dtype), 1e-6)


@pytest.mark.parametrize("garbage", [7.0, 1e30, torch.inf, torch.nan])
@pytest.mark.parametrize("tolerance", [None, 1e-9])
def test_pads_have_no_mass_and_change_nothing(garbage, tolerance) -> None:
    settings = {"epsilon": 0.5, "iterations": 50, "tolerance": tolerance}
    scores = random_scores(2, 4, 3)
    padded = torch.full((2, 6, 5), garbage, dtype=torch.float64)
    padded[:, :4, :3] = scores
    log_q = sinkhorn(padded, word_mask=first(6, 4, 4), frame_mask=first(5, 3, 3), **settings)
    close(log_q[:, :4, :3], sinkhorn(scores, **settings))
    assert (log_q[:, 4:] == -torch.inf).all()
    assert (log_q[:, :, 3:] == -torch.inf).all()


def test_what_is_there_may_lie_anywhere() -> None:
    scores = random_scores(1, 5, 4)
    word_mask = torch.tensor([[False, True, False, True, True]])
    frame_mask = torch.tensor([[True, False, True, True]])
    log_q = sinkhorn(scores, word_mask=word_mask, frame_mask=frame_mask)
    there = word_mask[0].nonzero(), frame_mask[0].nonzero().T
    close(log_q[0][there], sinkhorn(scores[0][there][None])[0])


@pytest.mark.parametrize("garbage", [1.0, torch.inf, torch.nan])
def test_pads_have_the_gradient_0(garbage) -> None:
    scores = random_scores(2, 4, 5)
    masks = {"word_mask": first(4, 2, 4), "frame_mask": first(5, 5, 3)}
    there = masks["word_mask"][:, :, None] & masks["frame_mask"][:, None, :]
    scores = scores.masked_fill(~there, garbage).requires_grad_()
    weights = random_scores(2, 4, 5, seed=1)
    (sinkhorn(scores, **masks).exp() * weights).sum().backward()
    assert (scores.grad[~there] == 0).all()
    assert (scores.grad[there].abs() > 0).all()


def test_a_sample_with_nothing_has_no_mass_and_harms_nobody() -> None:
    scores = random_scores(3, 4, 5).requires_grad_()
    masks = {"word_mask": first(4, 0, 4, 4), "frame_mask": first(5, 5, 0, 5)}
    log_q = sinkhorn(scores, **masks)
    close(log_q[2:], sinkhorn(scores[2:]))
    assert (log_q[:2] == -torch.inf).all()
    close(marginal_error(log_q, **masks)[:2], torch.zeros(2, dtype=torch.float64))
    with torch.autograd.set_detect_anomaly(True):  # no step on the way gives NaN either
        sinkhorn(scores, **masks).exp().square().sum().backward()
    assert scores.grad.isfinite().all()
    assert (scores.grad[:2] == 0).all()


@pytest.mark.parametrize("settings", [{}, {"tolerance": 1e-3, "iterations": 20}])
def test_gradients_are_those_of_differences(settings) -> None:
    scores = random_scores(2, 3, 4).requires_grad_()
    word_mask, frame_mask = first(3, 2, 3), first(4, 4, 3)

    def q(scores: torch.Tensor) -> torch.Tensor:
        masks = {"word_mask": word_mask, "frame_mask": frame_mask}
        return sinkhorn(scores, **masks, epsilon=0.8, **settings).exp()

    assert torch.autograd.gradcheck(q, (scores,))


def test_the_order_of_words_and_frames_is_that_of_the_scores() -> None:
    scores = random_scores(2, 4, 5)
    words, frames = torch.tensor([2, 0, 3, 1]), torch.tensor([4, 1, 0, 3, 2])
    moved = scores[:, words][:, :, frames]
    close(sinkhorn(moved), sinkhorn(scores)[:, words][:, :, frames])


@pytest.mark.parametrize("tolerance", [None, 1e-4])
def test_a_sample_does_not_depend_on_the_others(tolerance) -> None:
    # They need different numbers of iterations for the tolerance.
    scores = random_scores(3, 4, 5) * torch.tensor([0.01, 1, 3], dtype=torch.float64)[:, None, None]
    settings = {"epsilon": 0.5, "iterations": 500, "tolerance": tolerance}
    together = sinkhorn(scores, **settings)
    for sample, found in zip(scores, together, strict=True):
        close(found, sinkhorn(sample[None], **settings)[0])


def test_a_tolerance_ends_a_sample_early() -> None:
    scores = random_scores(1, 4, 5)
    coarse = sinkhorn(scores, epsilon=0.5, iterations=500, tolerance=1e-2)
    assert 1e-6 < marginal_error(coarse) <= 1e-2


def test_what_is_given_stays_as_it_was() -> None:
    scores, word_mask = random_scores(2, 4, 5), first(4, 2, 4)
    before = scores.clone(), word_mask.clone()
    sinkhorn(scores, word_mask=word_mask)
    assert torch.equal(scores, before[0])
    assert torch.equal(word_mask, before[1])


def test_half_precision_is_computed_in_single() -> None:
    scores = random_scores(1, 4, 5, dtype=torch.float16)
    assert torch.equal(sinkhorn(scores), sinkhorn(scores.float()))


@given(
    data=st.data(),
    shape=st.tuples(*[st.integers(1, 6)] * 3),
    scale=st.sampled_from([1e-3, 1.0, 1e4]),
)
def test_frames_always_have_equal_shares(data, shape, scale) -> None:
    n, words, frames = shape
    scores = scale * random_scores(*shape, seed=data.draw(st.integers(0, 99)))
    word_mask = first(words, *data.draw(st.lists(st.integers(1, words), min_size=n, max_size=n)))
    frame_mask = first(frames, *data.draw(st.lists(st.integers(1, frames), min_size=n, max_size=n)))
    q = sinkhorn(scores, word_mask=word_mask, frame_mask=frame_mask).exp()
    close(q.sum(1), frame_mask / frame_mask.sum(1, keepdim=True, dtype=torch.float64))


@pytest.mark.parametrize("settings", [{"epsilon": 0}, {"epsilon": float("nan")}, {"iterations": 0}])
def test_settings_without_sense_are_refused(settings) -> None:
    with pytest.raises(InputError, match=next(iter(settings))):
        sinkhorn(torch.zeros(1, 2, 2), **settings)
