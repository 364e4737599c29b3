"""The landing page: what this is, and the way in."""

from __future__ import annotations

import streamlit as st

from pages.widgets import frame, shell, state

shell.through_app()
words = frame.top()
words.title("ConvScope")
st.markdown(
    "See what a convolutional network predicts on **your own photo**: why each box is there, why "
    "another is not, and what every threshold does, while you move it."
)
st.page_link(
    "pages/predictions.py",
    label="**Show me the cat**: run the detector on a sample photo",
    icon=":material/pets:",
    query_params=state.link(source="sample", photo="cat"),
)

_PAGES = {
    "On your photo": [
        (
            "predictions",
            "Predictions",
            "frame_person",
            "Detection, instance masks, pose, semantic segmentation and classification. Drag the "
            "score and NMS thresholds and the boxes follow; ask why a box is not there.",
        ),
        (
            "compare",
            "Compare",
            "compare",
            "Two to four models on one photo: what both found, what only one found, against boxes "
            "that you draw.",
        ),
        (
            "models",
            "Models",
            "inventory_2",
            "Every network of the catalogue: card, scores, training curve, layers with shapes, "
            "parameters and multiply-adds.",
        ),
    ],
    "Look inside": [
        (
            "attribution",
            "Attribution",
            "network_intelligence",
            "Which pixels drive a prediction: eleven methods side by side, and a sanity check.",
        ),
        (
            "activations",
            "Activations",
            "stacks",
            "What each layer makes of the photo, and the input that a unit likes most.",
        ),
        ("filters", "Filters", "grid_on", "The weights of a convolution as pictures."),
        (
            "receptive_field",
            "Receptive field",
            "center_focus_strong",
            "How much of the photo a unit sees, in theory and in effect.",
        ),
        (
            "relu_rules",
            "ReLU rules",
            "rule",
            "Backpropagation, DeconvNet and guided backprop, cell by cell.",
        ),
    ],
    "Operators": [
        ("convolution", "Convolution", "apps", "The sliding window, its matrix, and its cost."),
        (
            "transposed_convolution",
            "Transposed convolution",
            "open_in_full",
            "Scatter and gather, overlaps and checkerboards.",
        ),
        ("pooling", "Pooling", "compress", "Maxima, averages, switches, and the way back."),
        (
            "roi_pooling",
            "RoI pooling",
            "crop",
            "RoI Pool and RoI Align on one box; NMS; corner pooling.",
        ),
    ],
}
for column, (title, pages) in zip(st.columns(3, gap="large"), _PAGES.items(), strict=True):
    with column:
        st.subheader(title, anchor=False)
        for name, label, icon, words in pages:
            st.page_link(
                f"pages/{name}.py",
                label=f"**{label}**",
                icon=f":material/{icon}:",
                query_params=state.link(),
            )
            st.caption(words)
left, right = st.columns(2, gap="large")
left.markdown(
    "**Works without a network.** The models called *bundled* are in this repository; the "
    "full-size torchvision models are downloaded only when you ask for one."
)
right.markdown(
    "**Links keep the view.** Photo, model and thresholds stand in the address bar: copy it "
    "to your notes and it reopens the same view. Photos that you upload stay in your own "
    "browser session and are never stored."
)
state.write(frame.PRESENT)
