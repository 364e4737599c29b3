"""Results as pictures and Plotly figures; nothing here computes, nothing here knows Streamlit."""

from vision_core.figures.charts import class_distribution, funnel, timing
from vision_core.figures.colours import class_colour
from vision_core.figures.encode import indexed_png, jpeg, png
from vision_core.figures.overlay import draw, instance_map, mask_layer
from vision_core.figures.segmentation import draw_class_map, legend

__all__ = [
    "class_colour",
    "class_distribution",
    "draw",
    "draw_class_map",
    "funnel",
    "indexed_png",
    "instance_map",
    "jpeg",
    "legend",
    "mask_layer",
    "png",
    "timing",
]
