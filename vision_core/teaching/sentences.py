"""A small set of sentences written for this project, and a network that learns to read them.

The network is that of Kim, "Convolutional Neural Networks for Sentence Classification" (2014), in
miniature: words as vectors that are learned, filters over 2 to 4 words, 1-max pooling, scores.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from vision_core import devices
from vision_core.errors import UserError
from vision_core.teaching.network import first_weights

CLASSES = ("displeased", "pleased")
WIDTHS = (2, 2, 3, 4)
"""Words under each filter."""
SIZE = 4
"""Numbers of a word."""
EPOCHS, RATE = 150, 0.05
LONGEST = 9
"""Words of a sentence that is read, at most: more do not fit on a slide."""

_PLEASED = """
the film is good
the film is very good
a good story and fine music
i like the film
i like this story
the music is fine
a very fine film
the story is not bad
the film is not bad
not bad and very funny
the film is funny
this is a funny story
not dull and never slow
the story is never dull
the soup is very good
i like the soup
the soup is not cold
a fine soup and good bread
the bread is warm and fresh
i like the fresh bread
the waiter is kind
the waiter is never rude
a kind waiter and fine food
the food is not bad
"""
_DISPLEASED = """
the film is bad
the film is very bad
a bad story and dull music
i do not like the film
i do not like this story
the music is dull
a very dull film
the story is not good
the film is not good
not good and very slow
the film is slow
this is a slow story
not funny and never good
the story is never funny
the soup is very bad
i do not like the soup
the soup is cold
a cold soup and bad bread
the bread is not fresh
i do not like the bread
the waiter is rude
the waiter is never kind
a rude waiter and cold food
the food is not fine
"""
HELD_OUT = (
    ("the soup is not good", 0),
    ("the story is very dull", 0),
    ("i do not like the music", 0),
    ("the waiter is not kind", 0),
    ("the music is not bad", 1),
    ("a very funny film", 1),
    ("i like the music", 1),
    ("the waiter is not rude", 1),
)
"""Sentences that are never learned; every word of them is in the others."""
LEARNED: tuple[tuple[str, int], ...] = tuple(
    (line, label)
    for label, text in enumerate((_DISPLEASED, _PLEASED))
    for line in text.strip().splitlines()
)
VOCABULARY: tuple[str, ...] = tuple(sorted({word for line, _ in LEARNED for word in line.split()}))


class SentenceNet(nn.Module):
    """Words to scores; ``forward`` takes ids ``[N, L]`` and returns ``[N, classes]``."""

    def __init__(self, seed: int = 0) -> None:
        super().__init__()
        self.words = nn.Embedding(len(VOCABULARY) + 1, SIZE, padding_idx=len(VOCABULARY))
        self.filters = nn.ModuleList(nn.Conv1d(SIZE, 1, width) for width in WIDTHS)
        self.fc = nn.Linear(len(WIDTHS), len(CLASSES))
        first_weights(self, seed)
        chance = torch.Generator().manual_seed(seed)
        for convolution in self.filters:
            assert isinstance(convolution, nn.Conv1d)
            nn.init.normal_(convolution.weight, std=0.5, generator=chance)
            nn.init.zeros_(convolution.bias)  # type: ignore[arg-type]
        nn.init.normal_(self.words.weight, std=0.5, generator=chance)
        with torch.no_grad():
            self.words.weight[-1] = 0

    def forward(self, ids: Tensor) -> Tensor:
        x = self.words(ids).transpose(1, 2)
        kept = []
        for width, layer in zip(WIDTHS, self.filters, strict=True):
            beyond = ids[:, None, width - 1 :] == len(
                VOCABULARY
            )  # ends on padding, which is no word
            kept.append(torch.relu(layer(x).masked_fill(beyond, -torch.inf).amax(2)))
        return self.fc(torch.cat(kept, 1))


def ids_of(text: str) -> list[int]:
    """The words of a sentence as rows of the vocabulary.

    Raises:
        UserError: a word that the network does not know, or too few or too many of them.
    """
    words = text.lower().replace(".", " ").replace(",", " ").split()
    unknown = [word for word in words if word not in VOCABULARY]
    if unknown:
        raise UserError(
            f"The network has never read “{unknown[0]}”; it knows {', '.join(VOCABULARY)}."
        )
    if not max(WIDTHS) <= len(words) <= LONGEST:
        raise UserError(
            f"A sentence takes {max(WIDTHS)} to {LONGEST} words, and there are {len(words)}."
        )
    return [VOCABULARY.index(word) for word in words]


def batch(lines: list[str]) -> Tensor:
    """Sentences as ids ``[N, L]``; shorter ones end with padding."""
    found = [ids_of(line) for line in lines]
    longest = max(map(len, found))
    return torch.tensor([one + [len(VOCABULARY)] * (longest - len(one)) for one in found])


@cache
def learned(seed: int = 0) -> SentenceNet:
    """The network after it has learned ``LEARNED``; the same one each time, in eval mode."""
    network = SentenceNet(seed)
    ids, labels = batch([line for line, _ in LEARNED]), torch.tensor([n for _, n in LEARNED])
    search = torch.optim.Adam(network.parameters(), lr=RATE, weight_decay=1e-3)
    with devices.forward_slot():
        for _ in range(EPOCHS):
            search.zero_grad()
            F.cross_entropy(network(ids), labels).backward()
            search.step()
    with torch.no_grad():  # two decimals, so that a sum can be followed by hand
        for parameter in network.parameters():
            parameter.copy_((parameter * 100).round() / 100)
    return network.eval().requires_grad_(False)


def right(network: SentenceNet, lines: tuple[tuple[str, int], ...]) -> float:
    """The share of sentences whose class is the best one."""
    with torch.inference_mode():
        said = network(batch([line for line, _ in lines])).argmax(1)
    return float((said == torch.tensor([n for _, n in lines])).double().mean())


def numbers_of(network: SentenceNet, text: str) -> dict[str, Any]:
    """What the walkthrough ``sentence`` takes, for a sentence in this network.

    Raises:
        UserError: see ``ids_of``.
    """
    ids = ids_of(text)
    layers = list(network.filters)
    return {
        "input": _plain(network.words.weight[ids]),
        "filters": [_plain(layer.weight[0].T) for layer in layers],  # type: ignore[index]
        "filter_bias": [_plain(layer.bias[0]) for layer in layers],  # type: ignore[index]
        "weight": _plain(network.fc.weight),
        "bias": _plain(network.fc.bias),
        "words": [VOCABULARY[n] for n in ids],
        "classes": list(CLASSES),
    }


def _plain(values: Any) -> Any:
    """Numbers of two decimals as lists."""
    return ((values.detach().double() * 100).round() / 100 + 0.0).tolist()  # no -0
