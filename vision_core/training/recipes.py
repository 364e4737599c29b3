"""The recipes by name, and the whole way from the command to weights with a card."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

from vision_core.errors import UserError
from vision_core.models import zoo
from vision_core.training import card
from vision_core.training.classification import ClassificationRecipe
from vision_core.training.detection import DetectionRecipe
from vision_core.training.export import save_half
from vision_core.training.loop import Options, Recipe, Run, fit, progress_of
from vision_core.training.masks import MaskRecipe
from vision_core.training.pose import PoseRecipe
from vision_core.training.pretraining import PretrainingRecipe
from vision_core.training.segmentation import SegmentationRecipe
from vision_core.training.streets import StreetRecipe

RECIPES: dict[str, Callable[[], Recipe]] = {
    "resnet_s": partial(PretrainingRecipe, "resnet_s"),
    "trunk_s": PretrainingRecipe,
    "alexnet_s": partial(ClassificationRecipe, "alexnet_s"),
    "vgg_s": partial(ClassificationRecipe, "vgg_s"),
    "fcos_s": DetectionRecipe,
    "faster_rcnn_s": partial(DetectionRecipe, "faster_rcnn_s"),
    "yolo_s": partial(DetectionRecipe, "yolo_s"),
    "mask_rcnn_s": MaskRecipe,
    "fcn_voc_s": SegmentationRecipe,
    **{name: partial(StreetRecipe, name) for name in zoo.trained_together("fcn_s")},
    "pose_heatmap_s": PoseRecipe,
    "pose_regression_s": partial(PoseRecipe, "pose_regression_s"),
}


def train(name: str, options: Options) -> Path | None:
    """Train a bundled network and write weights and card into ``options.out``.

    Returns:
        The path of the card; ``None`` where a piece of the run is over and not yet the whole.

    Raises:
        UserError: there is no such recipe, or the data are missing.
    """
    if name not in RECIPES:
        raise UserError(f"There is no recipe {name!r}; choose one of {', '.join(RECIPES)}.")
    recipe = RECIPES[name]()
    run = fit(recipe, options)
    if progress_of(run, options) < 1:
        return None
    return finish(recipe, options, run)


def finish(recipe: Recipe, options: Options, run: Run) -> Path:
    """Write the averaged weights of a run and their card."""
    epochs = run.step * recipe.batch_size / max(1, run.examples)
    training = {
        "command": command(recipe.name, options),
        "seed": options.seed,
        "minutes": round(run.seconds / 60, 1),
        "epochs": round(epochs, 1),
        "hardware": card.hardware(options.device),
    }
    kept = getattr(recipe, "kept", lambda network: network)
    if recipe.name not in zoo.NAMES:  # a start for others, and no network of the catalogue
        digest = save_half(kept(run.average.module), options.out / f"{recipe.name}.safetensors")
        note = {"sha256": digest, "training": training, "history": run.history}
        return card.save(note, options.out / f"{recipe.name}.json")
    path = card.write(
        zoo.trained_together(recipe.name),
        kept(run.average.module),
        options.out,
        data=options.data,
        training=training,
        history=run.history,
    )
    if recipe.name == "mask_rcnn_s" and options.init is not None:
        old = options.init.with_name("faster_rcnn_s.json")
        if old.is_file():  # its network is the frozen part, and now lies in the new file
            weights = options.out / f"{zoo.stem(recipe.name)}.safetensors"
            card.carry_over("faster_rcnn_s", old, options.out, weights)
    return path


def command(name: str, options: Options) -> str:
    """Return the command that repeats a run; folders of this machine are left out."""
    words = ["python -m vision_core train", name, "--data DATA"]
    if options.steps is None:
        words.append(f"--minutes {options.minutes:g}")
    else:
        words.append(f"--steps {options.steps}")
    words.append(f"--seed {options.seed}")
    if options.threads:
        words.append(f"--threads {options.threads}")
    if options.compile:
        words.append("--compile")
    if options.half:
        words.append("--half")
    if options.init is not None:
        words.append(f"--init {options.init.name}")
    if options.rate != 1:
        words.append(f"--rate {options.rate:g}")
    return " ".join(words)
