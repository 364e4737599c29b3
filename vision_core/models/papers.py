"""Which paper each of torchvision's builders implements: data only."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Paper:
    """Where a network was published.

    Attributes:
        title: of the paper.
        authors: ``First Author et al.`` or all names where there are two.
        year: of the first public version.
        url: of that version; empty where the card names none.
    """

    title: str
    authors: str
    year: int
    url: str = ""


def _arxiv(title: str, authors: str, year: int, number: str) -> Paper:
    return Paper(title, authors, year, f"https://arxiv.org/abs/{number}")


ALEXNET = _arxiv(
    "One weird trick for parallelizing convolutional neural networks",
    "Krizhevsky",
    2014,
    "1404.5997",
)
VGG = _arxiv(
    "Very Deep Convolutional Networks for Large-Scale Image Recognition",
    "Simonyan and Zisserman",
    2014,
    "1409.1556",
)
GOOGLENET = _arxiv("Going Deeper with Convolutions", "Szegedy et al.", 2014, "1409.4842")
INCEPTION = _arxiv(
    "Rethinking the Inception Architecture for Computer Vision",
    "Szegedy et al.",
    2015,
    "1512.00567",
)
RESNET = _arxiv("Deep Residual Learning for Image Recognition", "He et al.", 2015, "1512.03385")
DENSENET = _arxiv("Densely Connected Convolutional Networks", "Huang et al.", 2016, "1608.06993")
SQUEEZENET = _arxiv(
    "SqueezeNet: AlexNet-level accuracy with 50x fewer parameters and <0.5MB model size",
    "Iandola et al.",
    2016,
    "1602.07360",
)
MOBILENET_V2 = _arxiv(
    "MobileNetV2: Inverted Residuals and Linear Bottlenecks", "Sandler et al.", 2018, "1801.04381"
)
MOBILENET_V3 = _arxiv("Searching for MobileNetV3", "Howard et al.", 2019, "1905.02244")
EFFICIENTNET = _arxiv(
    "EfficientNet: Rethinking Model Scaling for Convolutional Neural Networks",
    "Tan and Le",
    2019,
    "1905.11946",
)
WIDE_RESNET = _arxiv("Wide Residual Networks", "Zagoruyko and Komodakis", 2016, "1605.07146")
RESNEXT = _arxiv(
    "Aggregated Residual Transformations for Deep Neural Networks", "Xie et al.", 2016, "1611.05431"
)
SHUFFLENET_V2 = _arxiv(
    "ShuffleNet V2: Practical Guidelines for Efficient CNN Architecture Design",
    "Ma et al.",
    2018,
    "1807.11164",
)
MNASNET = _arxiv(
    "MnasNet: Platform-Aware Neural Architecture Search for Mobile",
    "Tan et al.",
    2018,
    "1807.11626",
)
REGNET = _arxiv("Designing Network Design Spaces", "Radosavovic et al.", 2020, "2003.13678")
EFFICIENTNET_V2 = _arxiv(
    "EfficientNetV2: Smaller Models and Faster Training", "Tan and Le", 2021, "2104.00298"
)
VIT = _arxiv(
    "An Image is Worth 16x16 Words: Transformers for Image Recognition at Scale",
    "Dosovitskiy et al.",
    2020,
    "2010.11929",
)
SWIN = _arxiv(
    "Swin Transformer: Hierarchical Vision Transformer using Shifted Windows",
    "Liu et al.",
    2021,
    "2103.14030",
)
SWIN_V2 = _arxiv(
    "Swin Transformer V2: Scaling Up Capacity and Resolution", "Liu et al.", 2021, "2111.09883"
)
MAXVIT = _arxiv("MaxViT: Multi-Axis Vision Transformer", "Tu et al.", 2022, "2204.01697")
CONVNEXT = _arxiv("A ConvNet for the 2020s", "Liu et al.", 2022, "2201.03545")
FASTER_RCNN = _arxiv(
    "Faster R-CNN: Towards Real-Time Object Detection with Region Proposal Networks",
    "Ren et al.",
    2015,
    "1506.01497",
)
RCNN_V2 = _arxiv(
    "Benchmarking Detection Transfer Learning with Vision Transformers",
    "Li et al.",
    2021,
    "2111.11429",
)
MASK_RCNN = _arxiv("Mask R-CNN", "He et al.", 2017, "1703.06870")
RETINANET = _arxiv("Focal Loss for Dense Object Detection", "Lin et al.", 2017, "1708.02002")
RETINANET_V2 = _arxiv(
    "Bridging the Gap Between Anchor-based and Anchor-free Detection via Adaptive Training "
    "Sample Selection",
    "Zhang et al.",
    2019,
    "1912.02424",
)
FCOS = _arxiv(
    "FCOS: Fully Convolutional One-Stage Object Detection", "Tian et al.", 2019, "1904.01355"
)
SSD = _arxiv("SSD: Single Shot MultiBox Detector", "Liu et al.", 2015, "1512.02325")
FCN = _arxiv(
    "Fully Convolutional Networks for Semantic Segmentation", "Long et al.", 2014, "1411.4038"
)
DEEPLAB_V3 = _arxiv(
    "Rethinking Atrous Convolution for Semantic Image Segmentation",
    "Chen et al.",
    2017,
    "1706.05587",
)
