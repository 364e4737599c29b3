"""The landing page: what this is, and the way in."""

from __future__ import annotations

import streamlit as st

from pages.widgets import shell

shell.through_app()
st.title("ConvScope")
st.markdown(
    "See what a convolutional network predicts on **your own photo**: why each box is there, why "
    "another is not, and what every threshold does, while you move it."
)
st.page_link(
    "pages/predictions.py", label="**Show me the cat**: run the detector on a sample photo",
    icon=":material/pets:", query_params={"photo": "cat"},
)

st.subheader("The pages")
left, right = st.columns(2, gap="large")
with left:
    st.page_link("pages/predictions.py", label="**Predictions**", icon=":material/frame_person:")
    st.markdown(
        "Detection, instance masks, human pose, semantic segmentation and classification on a "
        "sample, an upload or the camera. Move the score and NMS thresholds and the picture "
        "follows, without running the network again."
    )
    st.page_link("pages/models.py", label="**Models**", icon=":material/inventory_2:")
    st.markdown(
        "Every network of the catalogue: its card, scores, training curve, layers with their "
        "shapes, parameters and multiply-adds."
    )
with right:
    st.markdown(
        "**Works without a network.** The models called *bundled* are in this repository; the "
        "full-size torchvision models are downloaded only when you ask for one."
    )
    st.markdown(
        "**Links keep the view.** Photo, model and thresholds stand in the address bar: copy it "
        "to your notes and it reopens the same view. Photos that you upload stay in your own "
        "browser session and are never stored."
    )
