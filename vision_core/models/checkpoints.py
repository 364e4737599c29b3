"""Reading state dicts safely, and telling what does not fit."""

from __future__ import annotations

import argparse
import pickle
import re
import zipfile
from collections import OrderedDict
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor, nn

from vision_core.errors import UserError

StateDict = dict[str, Tensor]

# Keys under which training scripts put the state dict beside an optimizer.
_WRAPPERS = ("state_dict", "model_state_dict", "model", "model_ema", "net")
# What DistributedDataParallel and torch.compile put before every name.
_PREFIXES = ("module.", "_orig_mod.", "model.", "network.", "net.")
# A moving average counts its steps beside the weights (``torch.optim.swa_utils.AveragedModel``).
_COUNTERS = ("n_averaged",)

# How PyTorch names what it refuses to unpickle; other messages mean a damaged file.
_FORBIDDEN = re.compile("unsupported (global|class)|reduce for|blocked", re.IGNORECASE)


class DoesNotFit(UserError):
    """A state dict of another network; all that does not match is listed here.

    Attributes:
        missing: names that the network has and the file has not.
        unknown: names that the network has not.
        shapes: name, shape in the file, shape in the network.
    """

    def __init__(
        self,
        message: str,
        missing: list[str],
        unknown: list[str],
        shapes: list[tuple[str, str, str]],
    ) -> None:
        super().__init__(message)
        self.missing, self.unknown, self.shapes = missing, unknown, shapes


def read(file: Path, most: int | None = None) -> StateDict:
    """The tensors of a ``.safetensors`` or PyTorch file, floats as float32, on the CPU.

    PyTorch files are read with ``weights_only=True``: nothing in them can run code.

    Args:
        file: ends in ``.safetensors``, or is a PyTorch file.
        most: bytes that the tensors may take as float32; as many as they like where left out.

    Raises:
        UserError: the file is missing, damaged, unsafe, too large, or holds no state dict.
    """
    if not file.is_file():
        raise UserError(f"There is no weights file {file}; check the path.")
    if file.suffix == ".safetensors":
        state = _read_safetensors(file)
    else:
        _check_unpacked(file, most)
        state = _unwrap(_read_pickle(file), file)
    _check_bytes(4 * sum(tensor.numel() for tensor in state.values()), most, file)
    return _floats(_ordinary(state, file))


def _check_unpacked(file: Path, most: int | None) -> None:
    """Refuse a zip file that grows when it is unpacked; PyTorch itself packs nothing."""
    if most is None or not zipfile.is_zipfile(file):
        return
    with zipfile.ZipFile(file) as packed:
        _check_bytes(sum(entry.file_size for entry in packed.infolist()), most, file)


def _check_bytes(wanted: int, most: int | None, file: Path) -> None:
    if most is not None and wanted > most:
        raise UserError(
            f"{file.name} holds {wanted / 2**20:,.0f} MB of numbers, and a network of your own may "
            f"take {most / 2**20:,.0f} MB; take a smaller architecture."
        )


def _read_safetensors(file: Path) -> StateDict:
    try:
        return load_file(file)
    except (SafetensorError, OSError, ValueError) as error:
        raise UserError(
            f"{file} is damaged or is no safetensors file ({_short(error)}); get it again."
        ) from None


def _read_pickle(file: Path) -> Any:
    try:
        # torchvision's reference scripts store their arguments, a Namespace of plain values.
        with torch.serialization.safe_globals([argparse.Namespace]):
            return torch.load(file, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        if _FORBIDDEN.search(str(error)):
            raise UserError(
                f"{file} holds more than tensors, and loading it could run code; save it with "
                f"torch.save(model.state_dict(), ...) or as safetensors."
            ) from None
        raise UserError(_no_weights(file)) from None
    except Exception as error:  # damaged archives raise many types
        if "TorchScript" in str(error):
            raise UserError(
                f"{file} is a TorchScript program; save its state_dict() instead."
            ) from None
        raise UserError(_no_weights(file)) from None


def _no_weights(file: Path) -> str:
    return (
        f"{file} is damaged or is no PyTorch weights file; "
        f"give a state dict saved as .pth or .safetensors."
    )


def _unwrap(loaded: Any, file: Path) -> StateDict:
    for key in _WRAPPERS:
        if isinstance(loaded, Mapping) and isinstance(loaded.get(key), Mapping):
            loaded = loaded[key]
            break
    if not isinstance(loaded, Mapping) or not loaded:
        raise UserError(
            f"{file} holds a {type(loaded).__name__} and no state dict; save model.state_dict()."
        )
    odd = [str(k) for k, v in loaded.items() if not isinstance(v, Tensor)]
    if odd:
        raise UserError(
            f"{file} is no state dict: {_some(odd)} {'is' if len(odd) == 1 else 'are'} no "
            f"tensor; save model.state_dict()."
        )
    return {str(k): v for k, v in loaded.items()}


def _ordinary(state: StateDict, file: Path) -> StateDict:
    """Refuse tensors that hold no plain numbers."""
    odd = [f"{k} ({kind})" for k, v in state.items() if (kind := _odd_kind(v))]
    if odd:
        raise UserError(
            f"{file.name} holds tensors that cannot be weights here: {_some(odd)}; "
            "save the state dict of an ordinary float32 model."
        )
    return state


def _odd_kind(tensor: Tensor) -> str:
    if tensor.is_meta:
        return "without values, on the meta device"
    if tensor.is_quantized:
        return "quantised"
    if tensor.is_nested or tensor.layout != torch.strided:
        return "sparse or nested"
    return "complex" if tensor.is_complex() else ""


def _floats(state: StateDict) -> StateDict:
    """Half and double precision to float32; counters keep their type."""
    return {k: v.float() if v.is_floating_point() else v for k, v in state.items()}


def without_prefix(state: StateDict) -> StateDict:
    """Drop wrappers' prefixes, several inside each other too, where all names carry them."""
    state = {k: v for k, v in state.items() if k not in _COUNTERS}
    for prefix in _PREFIXES:
        if state and all(k.startswith(prefix) for k in state):
            return without_prefix({k[len(prefix) :]: v for k, v in state.items()})
    return state


def fit(module: nn.Module, state: StateDict, file: Path, name: str) -> None:
    """Copy a state dict into a module.

    ``num_batches_tracked`` and auxiliary heads (``aux*``) may be missing or extra: neither takes
    part in a prediction. What is missing of them is zero.

    Raises:
        UserError: anything else does not match; the sentence lists it.
    """
    own = module.state_dict()
    state = {k: v for k, v in state.items() if k in own or not _optional(k)}
    missing = [k for k in own if k not in state and not _optional(k)]
    extra = [k for k in state if k not in own]
    odd = [
        (k, _shape(state[k]), _shape(own[k]))
        for k in own
        if k in state and state[k].shape != own[k].shape
    ]
    shapes = [f"{k} ({there} instead of {here})" for k, there, here in odd]
    parts = [
        f"{len(found)} {word} {_some(found)}"
        for found, word in (
            (missing, "missing:"),
            (extra, "unknown:"),
            (shapes, "of another shape:"),
        )
        if found
    ]
    if parts:
        raise DoesNotFit(
            f"{file.name} does not fit {name}: {'; '.join(parts)}; "
            f"choose the model that it was trained as.",
            missing,
            extra,
            odd,
        )
    _check_numbers(own, state, file)
    told: Any = OrderedDict(state)
    told._metadata = getattr(own, "_metadata", {})  # MNASNet asks for its version
    module.load_state_dict(told, strict=False)
    for key in own.keys() - state.keys():
        own[key].zero_()


def _check_numbers(own: StateDict, state: StateDict, file: Path) -> None:
    """Refuse weights that are no finite real numbers."""
    whole = [
        f"{k} ({str(state[k].dtype).removeprefix('torch.')})"
        for k in own
        if k in state and own[k].is_floating_point() and not state[k].is_floating_point()
    ]
    if whole:
        raise UserError(
            f"{file.name} holds tensors that cannot be weights here: {_some(whole)}; "
            "save the state dict of an ordinary float32 model."
        )
    bad = [k for k, v in state.items() if v.is_floating_point() and not _finite(v)]
    if bad:
        raise UserError(
            f"{file.name} holds values that are no finite numbers in {_some(bad)}; "
            f"save the weights again from an earlier step of the training."
        )


def _finite(values: Tensor) -> bool:
    """Whether all values are finite numbers; their sum tells it in most cases, and faster."""
    return bool(torch.isfinite(values.sum())) or bool(torch.isfinite(values).all())


def _optional(key: str) -> bool:
    return key.endswith("num_batches_tracked") or key.lower().startswith("aux")


def _shape(tensor: Tensor) -> str:
    return "x".join(map(str, tensor.shape)) or "a number"


def _some(items: list[str], most: int = 3) -> str:
    shown = ", ".join(items[:most])
    return f"{shown} and {len(items) - most} more" if len(items) > most else shown


def _short(error: Exception) -> str:
    return " ".join(str(error).split())[:80].rstrip(".") or type(error).__name__
