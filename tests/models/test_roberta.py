import pytest
import torch
from transformers import RobertaConfig, RobertaModel

from gytbench.models import roberta
from gytbench.models.roberta import MAX_TOKENS, Roberta
from tests.models.filling import fill, shapes, table

WORDS = 60


@pytest.fixture(scope="module")
def published() -> RobertaModel:
    """Two layers and few words; all else as roberta-base."""
    config = RobertaConfig(
        vocab_size=WORDS,
        max_position_embeddings=MAX_TOKENS + 2,
        type_vocab_size=1,
        layer_norm_eps=1e-5,
        num_hidden_layers=2,
    )
    return fill(RobertaModel(config))


@pytest.fixture
def own(published, monkeypatch) -> Roberta:
    monkeypatch.setattr(roberta, "_LAYERS", 2)
    monkeypatch.setattr(roberta, "_WORDS", WORDS)
    model = Roberta()
    model.load_state_dict(published.state_dict())
    return model.eval()


def test_names_and_shapes_are_those_of_the_checkpoints(facts) -> None:
    with torch.device("meta"):
        model = Roberta()
    prefix = "transformer.text_encoder."
    expected = [
        (name.removeprefix(prefix), shape)
        for name, shape in table(facts, "tubedetr")
        if name.startswith(prefix)
    ]
    assert sorted(shapes(model)) == sorted(expected)


@torch.inference_mode()
def test_states_are_those_of_transformers(own, published) -> None:
    ids = torch.tensor([[0, 8, 40, 59, 2], [0, 17, 2, 1, 1], [0, 9, 8, 2, 1]])
    mask = ids != 1
    expected = published(ids, attention_mask=mask.long()).last_hidden_state
    found = own(ids, mask)
    assert found.shape == (3, 5, 768)
    torch.testing.assert_close(found[mask], expected[mask], rtol=0, atol=1e-5)
    torch.testing.assert_close(own(ids, mask.long()), found, rtol=0, atol=0)


@torch.inference_mode()
def test_padding_changes_nothing(own) -> None:
    ids = torch.tensor([[0, 8, 40, 2]])
    padded = torch.tensor([[0, 8, 40, 2, 1, 1, 1]])
    alone = own(ids, torch.ones_like(ids))
    together = own(padded, padded != 1)[:, :4]
    torch.testing.assert_close(together, alone, rtol=0, atol=1e-5)


@torch.inference_mode()
def test_the_longest_text_has_a_position_for_each_token(own, published) -> None:
    ids = torch.arange(MAX_TOKENS)[None] % (WORDS - 4) + 3
    expected = published(ids, attention_mask=torch.ones_like(ids)).last_hidden_state
    torch.testing.assert_close(own(ids, ids > 0), expected, rtol=0, atol=1e-5)
