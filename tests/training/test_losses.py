from math import exp, log

import numpy as np
import pytest
import torch

from gytbench.training.losses import eq1, nce

SCORES = torch.tensor([[1.0, 2.0], [3.0, 5.0]])


def test_eq1_has_a_term_for_the_row_and_one_for_the_column_of_each_pair() -> None:
    first = -log(exp(0.5) / (exp(0.5) + exp(2))) - log(exp(0.5) / (exp(0.5) + exp(3)))
    second = -log(exp(4.5) / (exp(4.5) + exp(3))) - log(exp(4.5) / (exp(4.5) + exp(2)))
    assert eq1(SCORES, margin=0.5).item() == pytest.approx((first + second) / 2)


def test_nce_counts_the_own_pair_in_its_row_and_in_its_column() -> None:
    expected = (
        log(exp(1) + exp(2) + exp(1) + exp(3)) - 1 + log(exp(3) + exp(5) + exp(2) + exp(5)) - 5
    ) / 2
    assert nce(SCORES).item() == pytest.approx(expected)


def test_a_larger_margin_costs_more_and_texts_by_videos_cost_as_much() -> None:
    scores = torch.randn(5, 5, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
    assert eq1(scores, 0.001) > eq1(scores, 0)
    torch.testing.assert_close(eq1(scores, 0.3), eq1(scores.T, 0.3))
    torch.testing.assert_close(nce(scores), nce(scores.T))


@pytest.mark.parametrize("kind", ["linear", "gated"])
def test_nce_is_what_the_reference_computes(facts, kind) -> None:
    with np.load(facts / "golden" / f"global_local_clip_{kind}.npz") as stored:
        golden = {name: torch.from_numpy(np.asarray(stored[name])) for name in stored.files}
    whole = golden["global_text"] @ golden["global_video"].T
    tolerance = {"rtol": 1e-4, "atol": 0, "check_dtype": False}
    torch.testing.assert_close(nce(golden["pair_score"]), golden["loss_local"], **tolerance)
    torch.testing.assert_close(nce(whole), golden["loss_global"], **tolerance)


@pytest.mark.parametrize("loss", [nce, lambda scores: eq1(scores, 0.001)])
def test_gradients_are_those_of_small_differences(loss) -> None:
    drawn = torch.Generator().manual_seed(0)
    scores = 3 * torch.randn(4, 4, dtype=torch.float64, generator=drawn)
    assert torch.autograd.gradcheck(loss, scores.requires_grad_())


@pytest.mark.parametrize("loss", [nce, lambda scores: eq1(scores, 0.001)])
def test_large_scores_neither_overflow_nor_lose_their_differences_in_half(loss) -> None:
    close = torch.tensor([[30000.0, 30000.0], [29984.0, 30000.0]])
    assert loss(close.half()).item() == pytest.approx(loss(close.double()).item(), rel=1e-5)
