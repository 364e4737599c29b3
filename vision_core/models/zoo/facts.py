"""What the model cards of the bundled networks say in words; numbers are measured."""

from __future__ import annotations

from dataclasses import dataclass

from vision_core.models.zoo import everyday, fcn_voc_s, fcos_s, rcnn_s, streets

LICENCE = (
    "Weights: research and teaching only, because of the terms of the training photos. "
    "Code: as the project's."
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


TERMS = {
    "imagenette128": "ImageNet terms: non-commercial research and education",
    "imagewoof": "ImageNet terms: non-commercial research and education",
    "tinyimagenet32": "ImageNet terms: non-commercial research and education",
    "caltech101": "CC BY 4.0 (Li, Andreeto, Ranzato, Perona 2022)",
    "coco_everyday": "COCO 2017: annotations CC BY 4.0, photos under their Flickr licences",
    "voc_more": "PASCAL VOC 2012 photos from Flickr: research and teaching",
    "person_masks": "clothing photos Apache-2.0, others none stated: research and teaching",
    "voc12_subset": "PASCAL VOC 2012 photos from Flickr: research and teaching",
    "coco_mini": "COCO 2017: annotations CC BY 4.0, photos under their Flickr licences",
    "camvid": "CC BY-NC 4.0 as published with SegNet; CamVid itself free for academic use",
    "pennfudan": "none stated by the authors: research and teaching",
    "lspet_pose": "none stated by the authors, Flickr photos: research and teaching",
}

CLASSIFIER_INPUT = (
    "Shorter side resized to 144 pixels, centre crop of 128, ImageNet mean and spread."
)
ALEXNET_INPUT = "Shorter side resized to 128 pixels, centre square, ImageNet mean and spread."
RESNET_INPUT = "Shorter side resized to 160 pixels, centre square, ImageNet mean and spread."
DETECTOR_INPUT = "Shorter side resized to 160 pixels, longer side at most 208; any photo."
FCOS_INPUT = "Shorter side resized to 288 pixels, longer side at most 416; any photo."
STREET_INPUT = "Shorter side resized to 192 pixels, ImageNet mean and spread."
STREET_TRUNK = (
    "The trunk of vgg_s down to stride 16, and four steps back up: a convolution, an enlargement "
    "by two, and the trunk's finer map added through a 1x1 convolution. Three networks share the "
    "trunk and differ in the enlargement only. "
)

_STREETS_ONLY = (
    "Trained on 367 frames from one car in one city: on any other photo it still names road, "
    "building and sky, and is wrong. Poles, signs, fences and pedestrians are weak, with an IoU "
    "of about a quarter or less. "
)
LIMITS = {
    "alexnet_s": (
        "Knows 15 classes and nothing else. It looks at the middle of the photo only. It is the "
        "weakest of the three classifiers: of the animals and persons cut from everyday photos "
        "half are named wrong."
    ),
    "vgg_s": (
        "Knows 15 classes and nothing else. It looks at the middle of the photo only. It learned "
        "from resnet_s and is a little worse: of the animals and persons cut from everyday photos "
        "more than a third are named wrong."
    ),
    "faster_rcnn_s": (
        "Six classes, and it calls other things by these names too: a cup or a flower a dog, a "
        "uniform a cat. Half of the objects in crowded photos are missed, small ones nearly "
        "always; persons beside animals and cows are the weakest. Its boxes are loose: AP over "
        "all overlaps is half of what it is at 0.5."
    ),
    "mask_rcnn_s": (
        "The boxes of faster_rcnn_s with their mistakes. Masks are smooth blobs: the body is "
        "covered, legs, tails and fingers are not, and where the box is wrong so is the mask."
    ),
    "fcn_s": _STREETS_ONLY + "Interpolation blurs outlines by a few pixels.",
    "fcn_deconv_s": _STREETS_ONLY + "Outlines are about as with interpolation.",
    "segnet_s": _STREETS_ONLY + "Switches keep outlines sharp and leave ragged, speckled areas.",
    "pose_regression_s": (
        "Three joints in ten are within a fifth of the torso: it finds how a person stands, not "
        "where the hands and feet are. It cannot say how sure it is of a joint, gives all 14 even "
        "where they are hidden, and is here to be compared with pose_heatmap_s."
    ),
}
"""What each network cannot do, written after looking at what it says."""

FACTS = {
    "alexnet_s": Facts(
        title="AlexNet, small",
        task="classification",
        family="classifier",
        labels=everyday.FIFTEEN,
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
        data=("imagenette128", "voc12_subset"),
    ),
    "vgg_s": Facts(
        title="VGG, small",
        task="classification",
        family="classifier",
        labels=everyday.FIFTEEN,
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
        data=("imagenette128", "voc12_subset"),
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
        limits=(
            "Knows 90 classes and nothing else, and names one of them for every photo. It looks "
            "at the middle of the photo only."
        ),
        data=(
            "imagenette128", "imagewoof", "caltech101", "tinyimagenet32", "voc12_subset",
            "coco_everyday", "coco_mini", "voc_more",
        ),
    ),
    "fcos_s": Facts(
        title="FCOS, small",
        task="detection",
        family="fcos",
        labels=fcos_s.LABELS,
        architecture=(
            "torchvision's FCOS class over a small residual trunk with a feature pyramid of "
            "three levels at strides 8, 16 and 32 and 96 channels. Two towers of two "
            "convolutions give class scores, and boxes with centerness, at every point."
        ),
        paper=(
            "FCOS: A Simple and Strong Anchor-free Object Detector", "Tian, Shen, Chen, He", 2020,
        ),
        input=FCOS_INPUT,
        limits=(
            "Thirteen classes: people, five animals and seven everyday things. Small and far "
            "objects and crowds are missed; animals are taken for one another."
        ),
        data=(
            "voc12_subset", "coco_everyday", "person_masks", "coco_mini", "pennfudan", "voc_more",
            "caltech101",
        ),
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
        input=DETECTOR_INPUT,
        limits=LIMITS["faster_rcnn_s"],
        data=("voc12_subset", "coco_mini", "pennfudan"),
    ),
    "yolo_s": Facts(
        title="YOLO, small",
        task="detection",
        family="yolo",
        labels=fcos_s.LABELS,
        architecture=(
            "The grid detector of the paper over the trunk of resnet_s: 10 x 10 cells, 2 boxes "
            "with a confidence in each and 13 class probabilities, so 10 x 10 x 23 numbers."
        ),
        paper=(
            "You Only Look Once: Unified, Real-Time Object Detection",
            "Redmon, Divvala, Girshick, Farhadi",
            2016,
        ),
        input="The photo squashed to 320x320 pixels; any photo.",
        limits="One object for each cell: in crowds most are missed, and small ones always.",
        data=(
            "voc12_subset", "coco_everyday", "person_masks", "coco_mini", "pennfudan", "voc_more",
            "caltech101",
        ),
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
        input=DETECTOR_INPUT,
        limits=LIMITS["mask_rcnn_s"],
        data=("voc12_subset", "coco_mini", "pennfudan"),
    ),
    "fcn_voc_s": Facts(
        title="FCN-8s, small, bilinear",
        task="segmentation",
        family="fcn",
        labels=fcn_voc_s.LABELS,
        architecture=(
            "A small residual trunk; class scores from the maps at strides 32, 16 and 8 are "
            "enlarged bilinearly and added from coarse to fine, then enlarged to the photo."
        ),
        paper=(
            "Fully Convolutional Networks for Semantic Segmentation",
            "Long, Shelhamer, Darrell",
            2015,
        ),
        input="Shorter side resized to 192 pixels, ImageNet mean and spread.",
        limits=(
            "Six classes and background. Outlines are rough, thin parts are lost, and one animal "
            "or person is often painted in patches of two or three classes. Persons are the "
            "weakest, with an IoU of about a third."
        ),
        data=("voc12_subset",),
    ),
    "fcn_s": Facts(
        title="FCN, small, bilinear, streets",
        task="segmentation",
        family="fcn",
        labels=streets.LABELS,
        architecture=(
            STREET_TRUNK + "This one interpolates bilinearly."
        ),
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
            "A small residual trunk down to stride 16, and bilinear upsampling with shortcuts "
            "back to stride 4, where one heatmap per joint says where it is. Runs on the crop of "
            "each person that the detector finds."
        ),
        paper=("Simple Baselines for Human Pose Estimation and Tracking", "Xiao, Wu, Wei", 2018),
        input="128x128 crop, 1.25 times the longer side of a person's box, ImageNet statistics.",
        limits=(
            "Half of the joints are within a fifth of the torso; head and neck are best, knees and "
            "ankles worst, left and right are often confused. Gives all 14 joints "
            "even where some are hidden or outside the photo: look at the scores. Trained on "
            "sports and gymnastics; a close-up is read as a whole body, a bad box gives a bad pose."
        ),
        data=("lspet_pose", "coco_mini"),
    ),
    "pose_regression_s": Facts(
        title="Pose regression, small",
        task="pose",
        family="pose_regression",
        labels=("person",),
        architecture=(
            "The trunk of pose_heatmap_s down to stride 16 and two fully connected layers, whose "
            "28 outputs are x and y of 14 joints. Runs on the crop of each person that the "
            "detector finds."
        ),
        paper=(
            "DeepPose: Human Pose Estimation via Deep Neural Networks", "Toshev, Szegedy", 2014,
        ),
        input="128x128 crop, 1.25 times the longer side of a person's box, ImageNet statistics.",
        limits=LIMITS["pose_regression_s"],
        data=("lspet_pose", "coco_mini"),
    ),
}  # fmt: skip
