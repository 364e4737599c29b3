"""Sentences that several model cards share: terms of the data, inputs, limits."""

from __future__ import annotations

LICENCE = (
    "Weights: research and teaching only, because of the terms of the training photos. "
    "Code: as the project's."
)
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
LARGER_INPUT = "resized by the network: shorter side 256 pixels, longer side at most 384"
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
        "Knows 90 classes and nothing else, and names one of them for every photo. It looks at the "
        "middle of the photo only. It is the weakest of the three classifiers."
    ),
    "vgg_s": (
        "Knows 90 classes and nothing else, and names one of them for every photo. It looks at the "
        "middle of the photo only. It learned from resnet_s and is a little worse."
    ),
    "resnet_s": (
        "Knows 90 classes and nothing else, and names one of them for every photo. It looks at the "
        "middle of the photo only. Of things cut from everyday photos four in ten are named wrong, "
        "as are most pictures of classes with few photos, such as anchor or beaver."
    ),
    "faster_rcnn_s": (
        "Nine classes. Shown is what scores above a threshold from which three of four boxes are "
        "right on photos that it never saw; more than three of four objects stay below it, small "
        "and far ones and crowds most of all. Animals are taken for one another."
    ),
    "yolo_s": (
        "Nine classes, and the weakest of the detectors: each cell names one class, so in crowds "
        "most objects are missed, and small ones always. Shown is what scores above a threshold "
        "from which three of four boxes are right on photos that it never saw; four of five "
        "objects stay below it. A lower score threshold shows more of them, and more mistakes."
    ),
    "mask_rcnn_s": (
        "The boxes of faster_rcnn_s with their mistakes. Masks are smooth blobs: the body is "
        "covered, legs, tails and fingers are not, and where the box is wrong so is the mask."
    ),
    "fcn_s": _STREETS_ONLY + "Interpolation blurs outlines by a few pixels.",
    "fcn_deconv_s": _STREETS_ONLY + "Outlines are about as with interpolation.",
    "segnet_s": _STREETS_ONLY + "Switches keep outlines sharp and leave ragged, speckled areas.",
    "pose_regression_s": (
        "On everyday photos almost half of the joints are within a fifth of the torso, in "
        "sports one in three: it finds how a person stands, not where the hands and feet are. It "
        "cannot say how sure it is of a joint, gives all 14 even where they are hidden, and is "
        "here to be compared with pose_heatmap_s."
    ),
}
"""What each network cannot do, written after looking at what it says."""
