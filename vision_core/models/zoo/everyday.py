"""The everyday classes that the bundled classifiers name."""

from __future__ import annotations

LABELS = (
    "accordion", "airplane", "anchor", "ant", "banana", "barrel", "beaver", "bicycle",
    "binoculars", "bird", "boat", "bottle", "bowl", "bus", "butterfly", "cake", "camera",
    "cannon", "car", "cassette player", "cat", "ceiling fan", "chain saw", "chair",
    "chandelier", "church", "cougar", "cow", "crab", "crocodile", "cup", "dinosaur", "dog",
    "dolphin", "dragonfly", "elephant", "fish", "flamingo", "flower", "French horn",
    "garbage truck", "gas pump", "golf ball", "gramophone", "guitar", "headphones", "hedgehog",
    "helicopter", "horse", "kangaroo", "lamp", "laptop", "leopard", "llama", "lobster",
    "mobile phone", "motorcycle", "octopus", "pagoda", "panda", "parachute", "person", "piano",
    "pizza", "potted plant", "pyramid", "rhinoceros", "roller skate", "rooster", "saxophone",
    "scissors", "scorpion", "sea horse", "sheep", "skateboard", "soccer ball", "sofa",
    "starfish", "stop sign", "strawberry", "suitcase", "surfboard", "teddy bear", "television",
    "truck", "turtle", "umbrella", "watch", "wheelchair", "wrench",
)  # fmt: skip
"""What ``resnet_s`` knows: 90 classes."""

FIFTEEN = (
    "tench", "cassette player", "chain saw", "church", "French horn", "garbage truck",
    "gas pump", "golf ball", "parachute", "cat", "cow", "dog", "horse", "person", "sheep",
)  # fmt: skip
"""What ``alexnet_s`` and ``vgg_s`` know."""
