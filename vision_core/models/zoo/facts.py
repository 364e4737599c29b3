"""What the model cards of the bundled networks say in words; numbers are measured."""

from __future__ import annotations

from dataclasses import dataclass

from vision_core.models.zoo import everyday, fcn_voc_s, fcos_s, rcnn_s, streets
from vision_core.models.zoo.wording import (
    ALEXNET_INPUT,
    CLASSIFIER_INPUT,
    LARGER_INPUT,
    LIMITS,
    RESNET_INPUT,
    STREET_INPUT,
    STREET_TRUNK,
)


@dataclass(frozen=True)
class Facts:
    """The part of a card that no run changes."""

    title: str
    task: str
    family: str
    labels: tuple[str, ...]
    architecture: str
    paper: tuple[str, str, int]
    input: str
    limits: str
    data: tuple[str, ...]


_BOXES = (
    "voc12_subset",
    "coco_everyday",
    "coco_mini",
    "voc_more",
    "pennfudan",
    "person_masks",
    "caltech101",
)
"""What the detectors learned from."""
_PICTURES = (
    "imagenette128",
    "caltech101",
    "imagewoof",
    "voc12_subset",
    "coco_everyday",
    "coco_mini",
    "voc_more",
)
"""What the classifiers learned from: photos, and crops around boxes."""
_EVERYDAY = (*_PICTURES, "tinyimagenet32")

FACTS = {
    "alexnet_s": Facts(
        title="AlexNet, small",
        task="classification",
        family="classifier",
        labels=everyday.LABELS,
        architecture=(
            "Five convolutions, the first 11x11 with stride 4, max pooling over 3x3 windows that "
            "overlap, then three fully connected layers with dropout. As in the paper, but "
            "narrower, in one tower, and with batch normalisation in place of local response "
            "normalisation."
        ),
        paper=(
            "ImageNet Classification with Deep Convolutional Neural Networks",
            "Krizhevsky, Sutskever, Hinton",
            2012,
        ),
        input=ALEXNET_INPUT,
        limits=LIMITS["alexnet_s"],
        data=_PICTURES,
    ),
    "vgg_s": Facts(
        title="VGG, small",
        task="classification",
        family="classifier",
        labels=everyday.LABELS,
        architecture=(
            "Eight 3x3 convolutions in five stacks of 16, 32, 64, 128 and 192 channels, with 2x2 "
            "max pooling after each, then three fully connected layers. Narrower and shallower "
            "than the paper's networks, and with batch normalisation, which the paper did not "
            "have."
        ),
        paper=(
            "Very Deep Convolutional Networks for Large-Scale Image Recognition",
            "Simonyan, Zisserman",
            2015,
        ),
        input=CLASSIFIER_INPUT,
        limits=LIMITS["vgg_s"],
        data=_PICTURES,
    ),
    "resnet_s": Facts(
        title="ResNet, small",
        task="classification",
        family="classifier",
        labels=everyday.LABELS,
        architecture=(
            "A residual network: a 3x3 stem, then eight basic blocks in four stages of 32, 64, "
            "160 and 256 channels at strides 4 to 32. The last map is averaged over all "
            "positions and one linear layer gives 90 logits."
        ),
        paper=("Deep Residual Learning for Image Recognition", "He, Zhang, Ren, Sun", 2016),
        input=RESNET_INPUT,
        limits=LIMITS["resnet_s"],
        data=_EVERYDAY,
    ),
    "fcos_s": Facts(
        title="FCOS, small",
        task="detection",
        family="fcos",
        labels=fcos_s.LABELS,
        architecture=(
            "torchvision's FCOS class over a residual trunk of 3.6 million weights (widths 32, 64, "
            "160 and 256) with a feature pyramid of three levels at strides 8, 16 and 32 and 96 "
            "channels. Two towers of two convolutions give class scores, and boxes with "
            "centerness, at every point."
        ),
        paper=(
            "FCOS: A Simple and Strong Anchor-free Object Detector",
            "Tian, Shen, Chen, He",
            2020,
        ),
        input=LARGER_INPUT,
        limits=(
            "Nine classes. Shown is what scores above a threshold from which three of four boxes "
            "are right on photos that it never saw; seven of ten objects stay below it, small "
            "and far ones and crowds most of all. Animals are taken for one another."
        ),
        data=_BOXES,
    ),
    "faster_rcnn_s": Facts(
        title="Faster R-CNN, small",
        task="detection",
        family="faster_rcnn",
        labels=rcnn_s.LABELS,
        architecture=(
            "torchvision's FasterRCNN class over the trunk and pyramid of fcos_s. Anchors of six "
            "sizes and three shapes; a proposal network keeps at most 100 boxes; RoI Align reads "
            "7x7 features of each, and two fully connected layers of 256 name and move it."
        ),
        paper=(
            "Faster R-CNN: Towards Real-Time Object Detection with Region Proposal Networks",
            "Ren, He, Girshick, Sun",
            2015,
        ),
        input=LARGER_INPUT,
        limits=LIMITS["faster_rcnn_s"],
        data=_BOXES,
    ),
    "yolo_s": Facts(
        title="YOLO, small",
        task="detection",
        family="yolo",
        labels=fcos_s.LABELS,
        architecture=(
            "The grid detector of the paper over the trunk of fcos_s: 10 x 10 cells, 2 boxes "
            "with a confidence in each and 9 class probabilities, so 10 x 10 x 19 numbers."
        ),
        paper=(
            "You Only Look Once: Unified, Real-Time Object Detection",
            "Redmon, Divvala, Girshick, Farhadi",
            2016,
        ),
        input="The photo squashed to 320x320 pixels; any photo.",
        limits=LIMITS["yolo_s"],
        data=_BOXES,
    ),
    "mask_rcnn_s": Facts(
        title="Mask R-CNN, small",
        task="instance",
        family="mask_rcnn",
        labels=rcnn_s.LABELS,
        architecture=(
            "faster_rcnn_s, unchanged, with a mask branch that was trained alone: RoI Align reads "
            "14x14 features of each final box, three convolutions and one transposed convolution "
            "make a 28x28 mask for every class."
        ),
        paper=("Mask R-CNN", "He, Gkioxari, Dollar, Girshick", 2017),
        input=LARGER_INPUT,
        limits=LIMITS["mask_rcnn_s"],
        data=("voc12_subset", "coco_everyday", "coco_mini", "pennfudan", "person_masks"),
    ),
    "fcn_voc_s": Facts(
        title="FCN-8s, small, bilinear",
        task="segmentation",
        family="fcn",
        labels=fcn_voc_s.LABELS,
        architecture=(
            "The residual trunk of fcos_s; class scores from the maps at strides 32, 16 and 8 are "
            "enlarged bilinearly and added from coarse to fine, then enlarged to the photo."
        ),
        paper=(
            "Fully Convolutional Networks for Semantic Segmentation",
            "Long, Shelhamer, Darrell",
            2015,
        ),
        input="Shorter side resized to 224 pixels, ImageNet mean and spread.",
        limits=(
            "Six classes and background. One person who fills a photo is outlined well; among "
            "furniture and in crowds people come out in pieces. Animals are often painted in "
            "patches of two classes; outlines are rough and thin parts are lost."
        ),
        data=("voc12_subset", "person_masks", "coco_everyday"),
    ),
    "fcn_s": Facts(
        title="FCN, small, bilinear, streets",
        task="segmentation",
        family="fcn",
        labels=streets.LABELS,
        architecture=(STREET_TRUNK + "This one interpolates bilinearly."),
        paper=(
            "Fully Convolutional Networks for Semantic Segmentation",
            "Long, Shelhamer, Darrell",
            2015,
        ),
        input=STREET_INPUT,
        limits=LIMITS["fcn_s"],
        data=("camvid",),
    ),
    "fcn_deconv_s": Facts(
        title="FCN, small, transposed convolution, streets",
        task="segmentation",
        family="fcn",
        labels=streets.LABELS,
        architecture=(
            STREET_TRUNK + "This one has a transposed convolution, one learned "
            "4x4 kernel for each channel."
        ),
        paper=(
            "Fully Convolutional Networks for Semantic Segmentation",
            "Long, Shelhamer, Darrell",
            2015,
        ),
        input=STREET_INPUT,
        limits=LIMITS["fcn_deconv_s"],
        data=("camvid",),
    ),
    "segnet_s": Facts(
        title="SegNet, small, streets",
        task="segmentation",
        family="fcn",
        labels=streets.LABELS,
        architecture=(
            STREET_TRUNK + "This one puts each value back to where max "
            "pooling took it from. The paper's network passes these switches and no maps."
        ),
        paper=(
            "SegNet: A Deep Convolutional Encoder-Decoder Architecture for Image Segmentation",
            "Badrinarayanan, Kendall, Cipolla",
            2017,
        ),
        input=STREET_INPUT,
        limits=LIMITS["segnet_s"],
        data=("camvid",),
    ),
    "pose_heatmap_s": Facts(
        title="Heatmap pose, small",
        task="pose",
        family="pose_heatmap",
        labels=("person",),
        architecture=(
            "The residual trunk of fcos_s down to stride 16, and bilinear upsampling with "
            "shortcuts back to stride 4, where one heatmap per joint says where it is. Runs on the "
            "crop of each person that the detector finds."
        ),
        paper=("Simple Baselines for Human Pose Estimation and Tracking", "Xiao, Wu, Wei", 2018),
        input="128x128 crop, 1.15 times the longer side of a person's box, ImageNet statistics.",
        limits=(
            "Half of the joints are within a fifth of the torso; head and neck are best, knees and "
            "ankles worst, left and right are often confused. Gives all 14 joints even where some "
            "are hidden or outside the photo, with low scores there. Trained on sports and on "
            "everyday photos; a bad box gives a bad pose."
        ),
        data=("lspet_pose", "coco_everyday", "coco_mini"),
    ),
    "pose_regression_s": Facts(
        title="Pose regression, small",
        task="pose",
        family="pose_regression",
        labels=("person",),
        architecture=(
            "The layers of pose_heatmap_s down to stride 16 and back to stride 8, a spatial "
            "softmax over 64 learned maps, and two fully connected layers, whose 28 outputs are x "
            "and y of 14 joints. Runs on the crop of each person that the detector finds."
        ),
        paper=(
            "DeepPose: Human Pose Estimation via Deep Neural Networks",
            "Toshev, Szegedy",
            2014,
        ),
        input="128x128 crop, 1.15 times the longer side of a person's box, ImageNet statistics.",
        limits=LIMITS["pose_regression_s"],
        data=("lspet_pose", "coco_everyday", "coco_mini"),
    ),
}
