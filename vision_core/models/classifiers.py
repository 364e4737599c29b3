"""All of torchvision's classifiers, by paper and by the name of their last layer: data only."""

from __future__ import annotations

from vision_core.models import papers
from vision_core.models.papers import Paper

_FC, _FIRST = "fc.weight", "classifier.1.weight"

# (paper, state dict entry of the last layer, (builder, title) ...), small ones of a kind first.
CLASSIFIERS: tuple[tuple[Paper, str, tuple[tuple[str, str], ...]], ...] = (
    (papers.ALEXNET, "classifier.6.weight", (("alexnet", "AlexNet"),)),
    (
        papers.VGG,
        "classifier.6.weight",
        tuple(
            (f"vgg{depth}{end}", f"VGG-{depth}{words}")
            for depth in (11, 13, 16, 19)
            for end, words in (("", ""), ("_bn", " with batch normalisation"))
        ),
    ),
    (papers.GOOGLENET, _FC, (("googlenet", "GoogLeNet"),)),
    (papers.INCEPTION, _FC, (("inception_v3", "Inception v3"),)),
    (
        papers.RESNET,
        _FC,
        tuple((f"resnet{depth}", f"ResNet-{depth}") for depth in (18, 34, 50, 101, 152)),
    ),
    (
        papers.WIDE_RESNET,
        _FC,
        tuple((f"wide_resnet{depth}_2", f"Wide ResNet-{depth}-2") for depth in (50, 101)),
    ),
    (
        papers.RESNEXT,
        _FC,
        (
            ("resnext50_32x4d", "ResNeXt-50 32x4d"),
            ("resnext101_32x8d", "ResNeXt-101 32x8d"),
            ("resnext101_64x4d", "ResNeXt-101 64x4d"),
        ),
    ),
    (
        papers.DENSENET,
        "classifier.weight",
        tuple((f"densenet{depth}", f"DenseNet-{depth}") for depth in (121, 161, 169, 201)),
    ),
    (
        papers.SQUEEZENET,
        _FIRST,
        (("squeezenet1_0", "SqueezeNet 1.0"), ("squeezenet1_1", "SqueezeNet 1.1")),
    ),
    (
        papers.SHUFFLENET_V2,
        _FC,
        tuple(
            (f"shufflenet_v2_x{width.replace('.', '_')}", f"ShuffleNet V2 x{width}")
            for width in ("0.5", "1.0", "1.5", "2.0")
        ),
    ),
    (
        papers.MNASNET,
        _FIRST,
        tuple(
            (f"mnasnet{width.replace('.', '_')}", f"MnasNet {width}")
            for width in ("0.5", "0.75", "1.0", "1.3")
        ),
    ),
    (papers.MOBILENET_V2, _FIRST, (("mobilenet_v2", "MobileNetV2"),)),
    (
        papers.MOBILENET_V3,
        "classifier.3.weight",
        (
            ("mobilenet_v3_small", "MobileNetV3-Small"),
            ("mobilenet_v3_large", "MobileNetV3-Large"),
        ),
    ),
    (
        papers.EFFICIENTNET,
        _FIRST,
        tuple((f"efficientnet_b{size}", f"EfficientNet-B{size}") for size in range(8)),
    ),
    (
        papers.EFFICIENTNET_V2,
        _FIRST,
        tuple((f"efficientnet_v2_{size}", f"EfficientNetV2-{size.upper()}") for size in "sml"),
    ),
    (
        papers.REGNET,
        _FC,
        tuple(
            (f"regnet_{kind}_{size.replace('.', '_')}", f"RegNet{kind.upper()}-{size.upper()}")
            for kind, sizes in (
                ("x", "400mf 800mf 1.6gf 3.2gf 8gf 16gf 32gf"),
                ("y", "400mf 800mf 1.6gf 3.2gf 8gf 16gf 32gf 128gf"),
            )
            for size in sizes.split()
        ),
    ),
    (
        papers.CONVNEXT,
        "classifier.2.weight",
        tuple(
            (f"convnext_{size}", f"ConvNeXt-{size.capitalize()}")
            for size in ("tiny", "small", "base", "large")
        ),
    ),
    (
        papers.VIT,
        "heads.head.weight",
        (
            ("vit_b_32", "Vision Transformer B/32"),
            ("vit_b_16", "Vision Transformer B/16"),
            ("vit_l_32", "Vision Transformer L/32"),
            ("vit_l_16", "Vision Transformer L/16"),
            ("vit_h_14", "Vision Transformer H/14"),
        ),
    ),
    (
        papers.SWIN,
        "head.weight",
        (("swin_t", "Swin-T"), ("swin_s", "Swin-S"), ("swin_b", "Swin-B")),
    ),
    (
        papers.SWIN_V2,
        "head.weight",
        (("swin_v2_t", "Swin V2-T"), ("swin_v2_s", "Swin V2-S"), ("swin_v2_b", "Swin V2-B")),
    ),
    (papers.MAXVIT, "classifier.5.weight", (("maxvit_t", "MaxViT-T"),)),
)
