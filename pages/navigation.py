"""The one table of pages: the menu, the start page and every link are made from it."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache, partial

import streamlit as st
from streamlit.navigation.page import StreamlitPage

from pages.shared import shell
from pages.shared.guard import guarded


@dataclass(frozen=True)
class Entry:
    """A page.

    Attributes:
        name: its path in the address.
        title: in the menu and on the browser's tab.
        icon: name of a Material symbol.
        module: its ``main`` draws the page.
        line: what one does there, for the start page.
        computes: whether it needs PyTorch, which takes seconds to import the first time.
    """

    name: str
    title: str
    icon: str
    module: str
    line: str = ""
    computes: bool = True


HOME = Entry("home", "Start", "home", "pages.home.page", computes=False)
SECTIONS: Mapping[str, tuple[Entry, ...]] = {
    "On your photo": (
        Entry(
            "predictions",
            "Predictions",
            "frame_person",
            "pages.predictions.page",
            "Detection, instance masks, pose, semantic segmentation and classification. Drag the "
            "score and NMS thresholds and the boxes follow; ask why a box is not there.",
        ),
        Entry(
            "compare",
            "Compare",
            "compare",
            "pages.compare.page",
            "Two to four models on one photo: what both found, what only one found, against boxes "
            "that you draw.",
        ),
        Entry(
            "metrics",
            "Metrics",
            "monitoring",
            "pages.metrics.page",
            "How good it is: average precision step by step, kinds of error, scores of class maps "
            "and joints, calibration; many photos at once.",
        ),
        Entry(
            "models",
            "Models",
            "inventory_2",
            "pages.models.page",
            "Every network of the catalogue: card, scores, training curve, layers with shapes, "
            "parameters and multiply-adds.",
        ),
    ),
    "Look inside": (
        Entry(
            "attribution",
            "Attribution",
            "network_intelligence",
            "pages.attribution.page",
            "Which pixels drive a prediction: sixteen methods side by side and ranked.",
        ),
        Entry(
            "activations",
            "Activations",
            "stacks",
            "pages.activations.page",
            "What each layer makes of the photo, and the input that activates a unit most.",
        ),
        Entry(
            "filters",
            "Filters",
            "grid_on",
            "pages.filters.page",
            "The weights of a convolution as pictures.",
        ),
        Entry(
            "receptive_field",
            "Receptive field",
            "center_focus_strong",
            "pages.receptive_field.page",
            "How much of the photo a unit sees, in theory and in effect.",
        ),
        Entry(
            "inside",
            "Inside a detector",
            "deployed_code",
            "pages.inside.page",
            "One place of the photo through pyramid, anchors, proposals and training targets.",
        ),
        Entry(
            "race",
            "Race",
            "sports_score",
            "pages.race.page",
            "Sliding window, R-CNN, Fast R-CNN, Faster R-CNN and one stage, timed on one photo; "
            "OverFeat.",
        ),
        Entry(
            "surgery",
            "Surgery",
            "content_cut",
            "pages.surgery.page",
            "Skip residual blocks, silence channels, quantise weights: what is left of the answer?",
        ),
        Entry(
            "feature_space",
            "Feature space",
            "scatter_plot",
            "pages.space.page",
            "Nearest neighbours at a layer, PCA and t-SNE of a gallery, and the patches that "
            "excite a channel most.",
        ),
        Entry(
            "training",
            "Training",
            "school",
            "pages.training.page",
            "A small network learns digits or your own photos, epoch by epoch; transfer learning.",
        ),
        Entry(
            "style",
            "Style",
            "palette",
            "pages.style.page",
            "The content of a photo in the style of another, step by step; DeepDream.",
        ),
        Entry(
            "relu_rules",
            "ReLU rules",
            "rule",
            "pages.operators.relu_rules",
            "Backpropagation, DeconvNet and guided backprop, cell by cell.",
        ),
    ),
    "Operators": (
        Entry(
            "convolution",
            "Convolution",
            "apps",
            "pages.operators.convolution",
            "The sliding window, its matrix, and its cost.",
            computes=False,
        ),
        Entry(
            "transposed_convolution",
            "Transposed convolution",
            "open_in_full",
            "pages.operators.transposed_convolution",
            "Scatter and gather, overlaps and checkerboards.",
        ),
        Entry(
            "pooling",
            "Pooling",
            "compress",
            "pages.operators.pooling",
            "Maxima, averages, switches, and the way back.",
        ),
        Entry(
            "roi_pooling",
            "RoI pooling",
            "crop",
            "pages.operators.roi_pooling",
            "RoI Pool and RoI Align on one box; corner pooling.",
        ),
        Entry(
            "nms",
            "NMS",
            "filter_none",
            "pages.operators.nms",
            "Non-maximum suppression, step by step, on boxes that you drag.",
            computes=False,
        ),
        Entry(
            "sentence",
            "Sentence",
            "short_text",
            "pages.operators.sentence",
            "Filters over words, 1-max pooling and a score: a convolution reads.",
        ),
    ),
}
_GROUP = """[data-testid=stTopNav] > :nth-child({at}) [data-testid=stTopNavSection] {{
  font-weight: 700; background: rgba(120, 135, 150, 0.2); border-radius: 0.4rem; }}"""
ENTRIES = {entry.name: entry for entry in (HOME, *(e for part in SECTIONS.values() for e in part))}


def menu() -> dict[str, list[StreamlitPage]]:
    """The pages as ``st.navigation`` takes them; the first section stands open in the menu."""
    (_, first), *others = SECTIONS.items()
    sections = {"": (HOME, *first), **dict(others)}
    return {title: [_page(e) for e in entries] for title, entries in sections.items()}


def tab_title(path: str) -> str:
    """What the browser's tab says of a page; the start page is the app itself."""
    entry = ENTRIES.get(path, HOME)
    return "ConvScope" if entry is HOME else f"{entry.title} · ConvScope"


def place_in_menu(path: str) -> str:
    """A style that marks the group of the menu in which a page lies, as the menu marks a page."""
    (_, first), *others = SECTIONS.items()
    for at, (_, entries) in enumerate(others, 1 + len((HOME, *first))):
        if any(entry.name == path for entry in entries):
            return f"<style>{_GROUP.format(at=at)}</style>"
    return "<style></style>"


def go(name: str, params: Mapping[str, str]) -> None:
    """Go to page ``name`` with these address parameters."""
    st.switch_page(_page(ENTRIES[name]), query_params=dict(params))


def link(name: str, label: str, icon: str, params: Mapping[str, str]) -> None:
    """Draw a link to page ``name`` with these address parameters; ``icon`` is a Material symbol."""
    st.page_link(
        _page(ENTRIES[name]),
        label=label,
        icon=f":material/{icon}:",
        query_params=dict(params),
    )


def _page(entry: Entry) -> StreamlitPage:
    return st.Page(
        _drawn(entry.name),
        title=entry.title,
        icon=f":material/{entry.icon}:",
        url_path=entry.name,
        default=entry is HOME,
    )


@cache
def _drawn(name: str) -> Callable[[], None]:
    """The function that draws a page; the same one each time, as Streamlit wants it."""
    return partial(_draw, ENTRIES[name])


def _draw(entry: Entry) -> None:
    with guarded("preparing the page"):
        if entry.computes:
            shell.wait_for_networks(entry.title)
        importlib.import_module(entry.module).main()
