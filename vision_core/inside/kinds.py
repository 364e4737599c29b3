"""Which families of networks can be opened. No PyTorch here."""

DETECTORS = (
    "faster_rcnn",
    "mask_rcnn",
    "keypoint_rcnn",
    "retinanet",
    "fcos",
    "ssd",
    "ssdlite",
    "yolo",
)
"""Families, as on a model's card, that have anchors, points or cells."""
