from math import exp, log

import numpy as np
import pytest
import torch

from gytbench.models.cross_attention import pair_scores, pair_vectors, rollout
from gytbench.models.global_local import GlobalLocalHead, contrastive_loss, start_from_mil_nce
from gytbench.models.s3d import CELL_WIDTH, S3D, WORD_WIDTH
from tests.models.filling import fill, shapes, table


def on_clip(gated: bool) -> GlobalLocalHead:
    return GlobalLocalHead(512, 512, video=512, text=512, gated=gated)


@pytest.fixture(scope="module", params=["linear", "gated"])
def case(request, facts):
    """The reference's outputs, and this package's for the same weights and inputs."""
    with np.load(facts / "golden" / f"global_local_clip_{request.param}.npz") as stored:
        golden = dict(stored)
    generator = np.random.Generator(np.random.PCG64(1))
    global_v, local_v, global_t, words, local_v2 = (
        torch.from_numpy((0.3 * generator.standard_normal(shape)).astype(np.float32))
        for shape in ((3, 512), (3, 8, 49, 512), (3, 512), (3, 20, 512), (2, 16, 49, 512))
    )
    mask = torch.from_numpy(golden["mask"])
    head = fill(on_clip(request.param == "gated"))
    with torch.inference_mode():
        video, text = pair_vectors(head, local_v.flatten(1, 2), words, mask)
        scores = pair_scores(head, local_v.flatten(1, 2), words, mask)
        whole_v, whole_t = head.global_video(global_v), head.global_text(global_t)
        outputs = {
            "local_video": video[..., :64],
            "local_text": text[..., :64],
            "pair_score": scores,
            "global_video": whole_v,
            "global_text": whole_t,
            "loss_local": contrastive_loss(scores),
            "loss_global": contrastive_loss(whole_t @ whole_v.T),
            "heat": rollout(head, local_v2.flatten(1, 2), words[:1], mask[:1]),
        }
    return golden, outputs


@pytest.mark.parametrize("kind", ["linear", "gated"])
def test_names_and_shapes_are_those_of_the_reference(facts, kind) -> None:
    assert shapes(on_clip(kind == "gated")) == table(facts, f"global_local_clip_{kind}")


@pytest.mark.parametrize(
    "name",
    [
        "local_video",
        "local_text",
        "pair_score",
        "global_video",
        "global_text",
        "loss_local",
        "loss_global",
        "heat",
    ],
)
def test_outputs_are_those_of_the_reference(case, name) -> None:
    golden, outputs = case
    largest = np.abs(golden[name]).max()
    np.testing.assert_allclose(outputs[name].numpy(), golden[name], rtol=0, atol=1e-4 * largest)


def test_a_global_branch_started_from_mil_nce_scores_as_it_does() -> None:
    s3d = fill(S3D(rows=12))
    head = GlobalLocalHead(CELL_WIDTH, WORD_WIDTH, video=CELL_WIDTH, text=WORD_WIDTH)
    start_from_mil_nce(head, s3d.state_dict())
    video, ids = torch.rand(3, 3, 8, 32, 32), torch.tensor([[1, 4, 0], [2, 0, 0]])
    with torch.inference_mode():
        expected = s3d(video) @ s3d.text_module(ids).T
        cells = s3d.feature_map(video).mean(dim=(2, 3, 4))
        texts = s3d.text_module.word_vectors(ids).amax(dim=1)
        found = head.global_video(cells) @ head.global_text(texts).T
    assert expected.std() > 0
    assert torch.equal(found, expected)


def test_the_loss_counts_the_own_pair_in_its_row_and_in_its_column() -> None:
    scores = torch.tensor([[1.0, 2.0], [3.0, 5.0]])
    expected = (
        log(exp(1) + exp(2) + exp(1) + exp(3)) - 1 + log(exp(3) + exp(5) + exp(2) + exp(5)) - 5
    ) / 2
    assert contrastive_loss(scores).item() == pytest.approx(expected)
