"""A session of Streamlit's simulator as it stands, a second time.

Where many tests begin alike, the beginning runs once.
"""

from __future__ import annotations

import copy
import dataclasses
import enum
import functools
import types
from typing import Any

import numpy as np
from streamlit.proto.WidgetStates_pb2 import WidgetStates
from streamlit.runtime.state import SafeSessionState
from streamlit.testing.v1 import AppTest
from streamlit.testing.v1.app_test import _AppTestSessionState

_STAY = (
    type(None),
    bool,
    int,
    float,
    str,
    bytes,
    frozenset,
    enum.Enum,
    np.generic,
    np.ndarray,  # pages never write into one that they were given
    WidgetStates,
    type,
    types.FunctionType,
    types.BuiltinFunctionType,
    types.MethodDescriptorType,
    functools.partial,
)
"""What is not changed by anybody who has it."""


class _NotTwice(TypeError):
    """Something in a session can't be had twice, such as a computation that goes on."""


def twin(app: AppTest) -> AppTest | None:
    """Another session in the same state; what one of them does, the other one does not see.

    Returns:
        ``None`` where that can't be had. Until its first run it has the other one's tree.
    """
    try:
        state = _copied(app._session_state._state)
    except _NotTwice:
        return None
    other = copy.copy(app)
    other._session_state = SafeSessionState(state, lambda: None)
    other.session_state = _AppTestSessionState(other._session_state)
    other.query_params = dict(app.query_params)
    return other


def _copied(value: Any) -> Any:
    """Containers and records that can be changed, anew; the rest as it is."""
    if isinstance(value, _STAY):
        return value
    if isinstance(value, dict):
        return type(value)({key: _copied(one) for key, one in value.items()})
    if isinstance(value, list | set):
        return type(value)(_copied(one) for one in value)
    if type(value) is tuple:
        return tuple(_copied(one) for one in value)
    if dataclasses.is_dataclass(value):
        if value.__dataclass_params__.frozen:  # type: ignore[attr-defined]
            return value
        other = copy.copy(value)
        for one in dataclasses.fields(value):
            setattr(other, one.name, _copied(getattr(value, one.name)))
        return other
    raise _NotTwice(type(value).__qualname__)
