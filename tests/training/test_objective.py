"""What is scored: which frames, by which branch, in which form."""

import pytest
import torch

from gytbench.errors import InputError
from gytbench.grounding.adapters.attending import Texts
from gytbench.models.cross_attention import pair_scores
from gytbench.models.global_local import GlobalLocalHead
from gytbench.training.losses import eq1, nce
from gytbench.training.networks import Looked
from gytbench.training.objective import Objective

from .running import configured

B, U, R, K, WIDTH = 3, 4, 2, 5, 6


def drawn(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


@pytest.fixture
def head() -> GlobalLocalHead:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(3)
        return GlobalLocalHead(WIDTH, WIDTH, video=WIDTH, text=WIDTH)


def looked(present=None) -> Looked:
    there = torch.ones(B, U, dtype=torch.bool) if present is None else torch.tensor(present)
    regions = drawn(B, U, R, WIDTH, seed=1)
    return Looked(drawn(B, U, WIDTH, seed=2), regions, regions, there)


def texts() -> Texts:
    mask = torch.arange(K) < torch.tensor([[1], [3], [5]])
    return Texts(drawn(B, K, WIDTH, seed=4), mask, drawn(B, WIDTH, seed=5))


def scored(head, looked, texts, variant: str = "paper", **selection) -> tuple[float, float]:
    """The local and the global loss."""
    config = configured(variant=variant, selection=selection, loss={"margin": 0.25})
    losses = Objective(config)(head, looked, texts)
    assert losses.total.item() == pytest.approx(losses.local.item() + losses.global_.item())
    return losses.local.item(), losses.global_.item()


def local(head, regions, texts, variant: str) -> float:
    scores = pair_scores(head, regions.flatten(1, 2), texts.words, texts.mask, variant=variant)
    return (eq1(scores, 0.25) if variant == "paper" else nce(scores)).item()


def whole(head, videos, texts, variant: str) -> float:
    scores = head.global_text(texts.whole) @ head.global_video(videos).T
    return (eq1(scores, 0.25) if variant == "paper" else nce(scores)).item()


@pytest.mark.parametrize("variant", ["paper", "official"])
def test_without_selection_all_frames_count(head, variant) -> None:
    seen, said = looked(), texts()
    found = scored(head, seen, said, variant, method="none")
    assert found[0] == pytest.approx(local(head, seen.regions, said, variant), rel=1e-5)
    expected = whole(head, seen.frames.mean(dim=1), said, variant)
    assert found[1] == pytest.approx(expected, rel=1e-5)


def test_selection_is_of_both_branches_in_the_paper_and_of_one_in_its_code(head) -> None:
    seen, said = looked(), texts()
    # Evenly spread, two of four frames are the first and the third.
    halved = {"regions": seen.regions[:, ::2], "frames": seen.frames[:, ::2]}
    for variant, frames in (("paper", halved["frames"]), ("official", seen.frames)):
        found = scored(head, seen, said, variant, method="uniform", keep=2)
        assert found[0] == pytest.approx(local(head, halved["regions"], said, variant), rel=1e-5)
        assert found[1] == pytest.approx(whole(head, frames.mean(dim=1), said, variant), rel=1e-5)


def test_frames_that_are_like_the_words_are_selected(head) -> None:
    """The text's one word points where frame 2 does, as the head maps them."""
    said, seen = texts(), looked()
    one = Texts(said.words, torch.arange(K)[None].expand(B, K) < 1, said.whole)
    with torch.no_grad():
        # The linear maps of the global branch, undone: f(frame) is near g(word).
        f, g = head.vis_proj_mat_g[0], head.lang_proj_mat_g[0]
        target = g(one.words[:, 0]) - f.bias
        like = torch.linalg.lstsq(f.weight, target.T).solution.T
    seen.frames[:, 2] = 100 * like
    options = {"method": "top", "keep": 1, "granularity": "word-frame"}
    found = scored(head, seen, one, **options)
    assert found[0] == pytest.approx(local(head, seen.regions[:, 2:3], one, "paper"), rel=1e-5)
    assert found[1] == pytest.approx(whole(head, seen.frames[:, 2], one, "paper"), rel=1e-5)


def test_pads_select_nothing(head) -> None:
    seen, said = looked(), texts()
    other = said.words.clone()
    other[~said.mask] = 1000.0
    for granularity in ("word-frame", "word-region", "average"):
        options = {"method": "sinkhorn", "keep": 2, "granularity": granularity}
        before = scored(head, seen, said, **options)
        assert scored(head, seen, said._replace(words=other), **options) == pytest.approx(before)


ABSENT = [[True, True, True, True], [False, True, True, False], [False, False, True, False]]


def test_absent_frames_count_in_no_mean(head) -> None:
    seen, said = looked(ABSENT), texts()
    there = torch.tensor(ABSENT)
    means = torch.stack([frames[some].mean(dim=0) for frames, some in
                         zip(seen.frames, there, strict=True)])  # fmt: skip
    for variant in ("paper", "official"):
        _, found = scored(head, seen, said, variant, method="none")
        assert found == pytest.approx(whole(head, means, said, variant), rel=1e-5)


def test_absent_frames_are_black_in_the_code_and_nothing_in_the_paper(head) -> None:
    seen, said = looked(ABSENT), texts()
    black = seen.regions.clone()
    black[~seen.present] = 7.0
    darker = seen._replace(regions=black, cells=black)
    paper = [scored(head, each, said, method="none")[0] for each in (seen, darker)]
    assert paper[0] == paper[1]
    official = [scored(head, each, said, "official", method="none")[0] for each in (seen, darker)]
    assert official[0] != pytest.approx(official[1])
    # One or two of four are there: to repeat them is to look at them alone.
    regions = seen.regions
    alone = [
        pair_scores(head, regions[row, seen.present[row]][None].flatten(1, 2), said.words,
                    said.mask, variant="paper") for row in range(B)
    ]  # fmt: skip
    assert paper[0] == pytest.approx(eq1(torch.cat(alone), 0.25).item(), rel=1e-5)


def test_a_video_without_any_frame_is_no_division_by_zero(head) -> None:
    nothing = [[False] * U] * B
    for variant in ("paper", "official"):
        for method in ("none", "sinkhorn"):
            found = scored(head, looked(nothing), texts(), variant, method=method, keep=2)
            assert all(torch.isfinite(torch.tensor(found)))


@pytest.mark.parametrize("granularity", ["text-frame", "text-region", "word-region"])
@pytest.mark.parametrize("through", ["head", "backbone"])
def test_every_kind_of_similarity_can_select(head, granularity, through) -> None:
    options = {"keep": 2, "granularity": granularity, "through": through}
    assert all(value > 0 for value in scored(head, looked(), texts(), **options))


def test_selection_is_no_part_of_the_gradient(head) -> None:
    seen = looked()
    cells = seen.cells.clone().requires_grad_()
    config = configured(selection={"keep": 2, "granularity": "word-region"})
    Objective(config)(head, seen._replace(cells=cells), texts()).total.backward()
    assert cells.grad is None


def test_a_backbone_without_a_space_in_common_is_refused(head) -> None:
    said = texts()._replace(words=drawn(B, K, WIDTH + 1))
    config = configured(selection={"keep": 2, "through": "backbone"})
    with pytest.raises(InputError, match="frames of 6 dimensions and words of 7: set it to head"):
        Objective(config)(head, looked(), said)


def test_losses_are_weighed(head) -> None:
    config = configured(loss={"local": 0.5, "global": 2.0})
    losses = Objective(config)(head, looked(), texts())
    expected = 0.5 * losses.local.item() + 2 * losses.global_.item()
    assert losses.total.item() == pytest.approx(expected)
