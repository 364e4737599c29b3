"""Sections of three operators' pages: a film, tied weights, pooling across channels."""

from __future__ import annotations

from typing import Any

import streamlit as st

from pages.shared import operator_page, state
from pages.shared.operator import Control, Operator
from vision_core.figures.stage import Stage
from vision_core.figures.stage_views import view_of

_FILM = (
    "A film is a stack of **frames**, and a 3-D kernel slides over rows, columns and frames "
    "(Ji et al. 2010). It sees motion; a filter of one frame sees none."
)
_TIED = (
    "Down with C, up again with Cᵀ: the **same weights**, so that the up layer has none of its "
    "own. Cᵀ is the **adjoint** of C, and not its inverse: for any x and y, ⟨C x, y⟩ = ⟨x, Cᵀ y⟩."
)
_CHANNELS = (
    "Pooling across **channels**: of a group of maps the largest value stays at each place, and "
    "rows and columns stay as they are. On maps of linear filters this is **maxout** (Goodfellow "
    "et al. 2013)."
)


def film(menu: Any, lede: Any, fields: tuple[state.Field, ...]) -> None:
    """3-D convolution on a short film."""
    controls = (Control("padding", "Padding", 0, 1), Control("bias", "Bias", -9, 9, 0.5))
    operator = Operator("convolution/film", "convolution_3d", controls)
    shown = operator.show(menu)
    operator_page.say(lede, f"{_FILM} **{shown.preset.shows}**")
    stage = Stage((view_of(shown.walks[0]),))
    operator_page.play(operator, shown, stage, fields, ("input", "weight"))
    operator_page.explain(shown)
    facts = shown.walks[0].facts
    st.markdown(f"{facts['weights']} weights, **{facts['multiplications']}** multiplications.")
    operator_page.files(stage, "convolution_3d")


def tied(menu: Any, lede: Any, fields: tuple[state.Field, ...]) -> None:
    """Both inner products, term by term."""
    operator = Operator("transposed/tied", "tied_weights", (), ("input", "weight", "y"))
    shown = operator.show(menu)
    operator_page.say(lede, f"{_TIED} **{shown.preset.shows}**")
    stage = Stage((view_of(shown.walks[0]),))
    operator_page.play(operator, shown, stage, fields, ("input", "weight", "y"))
    st.markdown(f"`{shown.walks[0].formula[0]}`")
    operator_page.files(stage, "tied_weights")


def channels(menu: Any, lede: Any, fields: tuple[state.Field, ...]) -> None:
    """The largest of a group of channels."""
    controls = (Control("kernel_size", "Channels of a group", 1, 4),)
    operator = Operator("pooling/channels", "channel_pool", controls, ("input",))
    shown = operator.show(menu)
    operator_page.say(lede, f"{_CHANNELS} **{shown.preset.shows}**")
    stage = Stage((view_of(shown.walks[0]),))
    operator_page.play(operator, shown, stage, fields, ("input",))
    operator_page.explain(shown)
    operator_page.files(stage, "channel_pool")
