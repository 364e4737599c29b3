"""The controls of an operator: presets, parameters with their rules, and the last valid state."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import streamlit as st

from pages.components.player import numbers
from pages.shared import state
from pages.shared.plain import sentence
from pages.shared.state import Field
from vision_core.errors import UserError
from vision_core.walkthroughs import PRESETS, Preset, Walkthrough, build, parameters, preset

_SCOPE, _CHANGED, _RESET = "_operator_scope", "_operator_changed", "_operator_reset"
Builder = Callable[[dict[str, Any]], list[Walkthrough]]


@dataclass(frozen=True)
class Control:
    """A parameter with a widget; its name is PyTorch's, the address bar's and the widget's key.

    Attributes:
        name: of the parameter.
        label: beside the widget.
        low, high, step: of a number.
        options: words to choose from; two booleans make a switch.
        help: one sentence.
    """

    name: str
    label: str
    low: float = 0
    high: float = 6
    step: float = 1
    options: tuple[Any, ...] = ()
    help: str | None = None

    def field(self, default: Any) -> Field:
        if self.options == (False, True):
            return Field(self.name, default, state.flag, lambda v: str(int(v)))
        if self.options:
            return Field(self.name, default, state.one_of(self.options))
        if self.step == 1:
            return Field(self.name, int(default), state.whole(int(self.low), int(self.high)))
        return Field(
            self.name, float(default), state.number(self.low, self.high), lambda v: f"{v:g}"
        )


@dataclass(frozen=True)
class Shown:
    """What a page shows: the walkthroughs of valid parameters, and the fields that made them."""

    walks: list[Walkthrough]
    params: dict[str, Any]
    preset: Preset
    fields: tuple[Field, ...]
    step: int
    scene: str
    error: str | None


@dataclass(frozen=True)
class Operator:
    """An operator on a page.

    Attributes:
        scope: names page and section; another scope starts with its own defaults.
        name: of the operator.
        controls: its parameters.
        arrays: parameters that hold numbers and stand in the address bar.
        make: parameters to walkthroughs; one of the operator itself where left out.
        sizes: arrays whose size has controls, with their labels.
        opens: the step that a page opens with: one that shows something.
    """

    scope: str
    name: str
    controls: tuple[Control, ...]
    arrays: tuple[str, ...] = ("input", "weight")
    make: Builder | None = None
    sizes: tuple[tuple[str, str], ...] = ()
    opens: int = 0

    def build(self, params: dict[str, Any]) -> list[Walkthrough]:
        return self.make(params) if self.make else [build(self.name, **params)]

    def show(self, where: Any) -> Shown:
        """Draw the menu of presets at ``where`` and the controls, if any, in the sidebar."""
        chosen, fields, defaults = self._use()
        with where, st.container(horizontal=True, gap="small", vertical_alignment="center"):
            st.selectbox(
                "Example",
                [p.name for p in PRESETS[self.name]],
                key="preset",
                format_func=lambda n: n.replace("-", " ").capitalize(),
                on_change=_start_over,
                label_visibility="collapsed",
            )
            st.button(
                "Start over",
                on_click=_start_over,
                icon=":material/restart_alt:",
                key="start_over",
                width="content",
            )
        params, error = self._params(defaults), None
        kept = f"_valid_{self.scope}"
        try:
            walks = self.build(params)
            st.session_state[kept] = (chosen.name, params)
        except UserError as mistake:
            error = str(mistake)
            held, valid = st.session_state.get(kept, ("", {}))
            params = valid if held == chosen.name else dict(defaults)
            walks = self.build(params)
        with st.sidebar:
            self._draw(error, defaults)
        step = st.session_state["step"]
        return Shown(walks, params, chosen, fields, step, f"{self.scope}/{chosen.name}", error)

    def _use(self) -> tuple[Preset, tuple[Field, ...], dict[str, Any]]:
        menu = Field(
            "preset", PRESETS[self.name][0].name, state.one_of(p.name for p in PRESETS[self.name])
        )
        fresh = st.session_state.get(_SCOPE) != self.scope
        if fresh:
            state.reset(menu)
        state.use(menu)
        chosen = preset(self.name, st.session_state["preset"])
        known = {k: v for k, v in parameters(self.name).items() if v is not ...}
        defaults = {**known, **chosen.params}
        if "stride" in defaults and defaults["stride"] is None:
            defaults["stride"] = defaults["kernel_size"]  # as PyTorch takes it
        fields = [
            *(control.field(_single(defaults[control.name])) for control in self.controls),
            *(
                Field(
                    name, numbers.to_text(defaults[name]), numbers.parser(np.ndim(defaults[name]))
                )
                for name in self.arrays
                if defaults.get(name) is not None
            ),
            Field("step", self.opens, state.whole(0, 10**6)),
        ]
        if fresh or st.session_state.pop(_RESET, False):
            st.session_state[_SCOPE] = self.scope
            state.reset(*fields)
        state.use(*fields)
        return chosen, (menu, *fields), defaults

    def _params(self, defaults: dict[str, Any]) -> dict[str, Any]:
        params = dict(defaults)
        for control in self.controls:
            params[control.name] = st.session_state[control.name]
        for name in self.arrays:
            if defaults.get(name) is not None:
                text = st.session_state[name]
                params[name] = numbers.to_array(text, np.ndim(defaults[name]))
        return params

    def _draw(self, error: str | None, defaults: dict[str, Any]) -> None:
        """Controls in pairs; the rule that is broken stands under the one that broke it."""
        sizes = [part for name, label in self.sizes for part in _sizes(name, label, defaults)]
        names = [*(c.name for c in self.controls), *(s[0] for s in sizes)]
        guilty = _guilty(error, names) if error else None
        if error and guilty is None:
            st.warning(sentence(error), icon=":material/rule:")
        drawn: list[tuple[str, Callable[[], Any]]] = [
            (key, partial(_size_input, key, label, n)) for key, label, n in sizes
        ]
        drawn += [(c.name, partial(_widget, c)) for c in self.controls]
        flags = [c for c in self.controls if c.options == (False, True)]
        drawn = [d for d in drawn if d[0] not in [c.name for c in flags]]
        for at in range(0, len(drawn), 2):
            pair = drawn[at : at + 2]
            for column, (_, draw) in zip(st.columns(2), pair, strict=False):
                with column:
                    draw()
            if guilty in [name for name, _ in pair]:
                st.warning(sentence(error or ""), icon=":material/rule:")
        for control in flags:
            _widget(control)
            if guilty == control.name:
                st.warning(sentence(error or ""), icon=":material/rule:")
        if error:
            st.caption("The picture still shows the last setting that works.")

    def edit(self, edit: dict[str, Any]) -> None:
        """Take a number that was changed in the player."""
        name, cell = edit["operand"], tuple(edit["cell"])
        if name not in self.arrays or name not in st.session_state:
            return
        dims = len(cell)
        array = np.array(numbers.to_array(st.session_state[name], dims), dtype=float)
        array[cell] = edit["value"]
        state.put(name, numbers.to_text(array))
        state.put("step", int(edit["step"]))
        st.session_state[_CHANGED] = name


def keep_step(step: int) -> None:
    """For the player: the step goes to the address bar."""
    state.put("step", int(step))


def _single(value: Any) -> Any:
    """A parameter with one number per axis has one widget."""
    return value[0] if isinstance(value, (list, tuple)) else value


def _start_over() -> None:
    st.session_state[_RESET] = True


def _note(name: str) -> None:
    st.session_state[_CHANGED] = name


def _guilty(error: str, names: Sequence[str]) -> str | None:
    """The control that was changed last, or one that the sentence names."""
    changed = st.session_state.get(_CHANGED)
    if changed in names:
        return changed
    named = sorted((n for n in names if n in error), key=lambda n: (error.index(n), -len(n)))
    return named[0] if named else None


def _widget(control: Control) -> None:
    shared: dict[str, Any] = {
        "key": control.name,
        "help": control.help,
        "on_change": _note,
        "args": (control.name,),
    }
    if control.options == (False, True):
        st.toggle(control.label, **shared)
    elif control.options:
        st.selectbox(control.label, control.options, **shared)
    elif control.step == 1:
        st.number_input(control.label, int(control.low), int(control.high), step=1, **shared)
    else:
        st.number_input(
            control.label,
            float(control.low),
            float(control.high),
            step=float(control.step),
            **shared,
        )


def _sizes(name: str, label: str, defaults: dict[str, Any]) -> list[tuple[str, str, int]]:
    """(key, label, size) of the size controls of an array: its last one or two axes."""
    shape = np.shape(numbers.to_array(st.session_state[name], np.ndim(defaults[name])))
    axes = 1 if np.ndim(defaults["input"]) == 1 else 2
    words = ("length",) if axes == 1 else ("rows", "columns")
    return [
        (f"{name}_{word}", f"{label} {word}", n)
        for word, n in zip(words, shape[-axes:], strict=True)
    ]


def _size_input(key: str, label: str, size: int) -> None:
    st.session_state[key] = size
    st.number_input(label, 1, 12, step=1, key=key, on_change=_resize, args=(key,))


def _resize(key: str) -> None:
    """Cut an array, or continue it with small numbers."""
    name, word = key.rsplit("_", 1)
    text = st.session_state[name]
    dims = 1 + sum(text.count(sign) > 0 for sign in ";|/")
    dims = max(dims, 1 if word == "length" else 2)
    array = np.array(numbers.to_array(text, dims))
    sizes = list(array.shape[-1:] if word == "length" else array.shape[-2:])
    sizes[{"length": 0, "rows": 0, "columns": 1}[word]] = int(st.session_state[key])
    fill = _ones if name == "weight" else _digits
    state.put(name, numbers.to_text(numbers.resized(array, tuple(sizes), fill)))
    _note(key)


def _ones(row: int, column: int) -> float:
    return 1.0


def _digits(row: int, column: int) -> float:
    return float((3 * row + 5 * column + 1) % 10)
