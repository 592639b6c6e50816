"""RoBERTa-base (Liu et al. 2019), as its weights are named in Hugging Face's RobertaModel."""

from torch import Tensor, nn
from torch.nn import functional

WIDTH = 768
"""Of the embedding of a token."""
MAX_TOKENS = 512
"""Of a text, the start and end tokens among them."""

_LAYERS = 12
_HEADS = 12
_HIDDEN = 3072
_EPS = 1e-5
_WORDS = 50265
_FIRST_POSITION = 2  # after that of padding, 1, and 0, which nothing has


class Roberta(nn.Module):
    """Texts as one vector a token.

    Source: facebookresearch/fairseq; the weights' names are those of Hugging Face
    transformers, the pooler's among them, which counts for nothing here.
    """

    def __init__(self) -> None:
        super().__init__()
        self.embeddings = _Embeddings()
        self.encoder = _Encoder()
        self.pooler = nn.ModuleDict({"dense": nn.Linear(WIDTH, WIDTH)})

    def forward(self, input_ids: Tensor, mask: Tensor) -> Tensor:
        """The last hidden states, n x tokens x 768, of ids, n x tokens (at most 512).

        The mask, n x tokens, is true (or 1) for tokens and false for padding, which comes
        after them; what comes out at padding means nothing.
        """
        seen = mask.bool()
        states: Tensor = self.encoder(self.embeddings(input_ids, seen), seen)
        return states


class _Embeddings(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.word_embeddings = nn.Embedding(_WORDS, WIDTH)
        self.position_embeddings = nn.Embedding(MAX_TOKENS + _FIRST_POSITION, WIDTH)
        self.token_type_embeddings = nn.Embedding(1, WIDTH)
        self.LayerNorm = nn.LayerNorm(WIDTH, eps=_EPS)

    def forward(self, ids: Tensor, seen: Tensor) -> Tensor:
        positions = (seen.cumsum(dim=1) + (_FIRST_POSITION - 1)) * seen + ~seen
        x = self.word_embeddings(ids) + self.position_embeddings(positions)
        normalised: Tensor = self.LayerNorm(x + self.token_type_embeddings.weight[0])
        return normalised


class _SelfAttention(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.query = nn.Linear(WIDTH, WIDTH)
        self.key = nn.Linear(WIDTH, WIDTH)
        self.value = nn.Linear(WIDTH, WIDTH)

    def forward(self, x: Tensor, seen: Tensor) -> Tensor:
        query, key, value = (
            project(x).unflatten(-1, (_HEADS, -1)).transpose(1, 2)
            for project in (self.query, self.key, self.value)
        )
        mixed = functional.scaled_dot_product_attention(
            query, key, value, attn_mask=seen[:, None, None, :]
        )
        return mixed.transpose(1, 2).flatten(2)


class _Output(nn.Module):
    """A projection that is added to what went in, and normalised."""

    def __init__(self, into: int) -> None:
        super().__init__()
        self.dense = nn.Linear(into, WIDTH)
        self.LayerNorm = nn.LayerNorm(WIDTH, eps=_EPS)

    def forward(self, x: Tensor, before: Tensor) -> Tensor:
        normalised: Tensor = self.LayerNorm(self.dense(x) + before)
        return normalised


class _Layer(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.attention = nn.ModuleDict({"self": _SelfAttention(), "output": _Output(WIDTH)})
        self.intermediate = nn.ModuleDict({"dense": nn.Linear(WIDTH, _HIDDEN)})
        self.output = _Output(_HIDDEN)

    def forward(self, x: Tensor, seen: Tensor) -> Tensor:
        x = self.attention["output"](self.attention["self"](x, seen), x)
        hidden = functional.gelu(self.intermediate["dense"](x))
        mixed: Tensor = self.output(hidden, x)
        return mixed


class _Encoder(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.ModuleList(_Layer() for _ in range(_LAYERS))

    def forward(self, x: Tensor, seen: Tensor) -> Tensor:
        for layer in self.layer:
            x = layer(x, seen)
        return x
