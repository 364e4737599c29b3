"""What an epoch on the digits costs, looking at it, and reading: python -m benchmarks.teaching"""

from __future__ import annotations

import time

from benchmarks.common import report
from vision_core.figures import teaching, teaching_svg
from vision_core.teaching import LearningSettings, sentences
from vision_core.teaching.data import digits
from vision_core.teaching.looks import activations, confusion, first_filters
from vision_core.teaching.run import LearningRun

EPOCHS = 10
VARIANTS = {
    "usual": LearningSettings(),
    "everything on": LearningSettings(
        optimiser="adam", rate=0.003, batch_norm=True, augment=True, dropout=0.3
    ),
    "wide and deep": LearningSettings(width=32, depth=4, batch_norm=True),
}


def main() -> None:
    """Print seconds of an epoch, and of all that a page draws after it, as a ratio to it."""
    data = digits()
    for name, settings in VARIANTS.items():
        run = LearningRun(data, settings)
        run.learn(1)
        start = time.perf_counter()
        run.learn(EPOCHS)
        whole = (time.perf_counter() - start) / EPOCHS
        start = time.perf_counter()
        for _ in range(EPOCHS):
            _look(run)
        look = (time.perf_counter() - start) / EPOCHS
        report(
            "teaching",
            settings=name,
            epoch_s=whole,
            learning_share=sum(e.seconds for e in run.history[-EPOCHS:]) / EPOCHS / whole,
            looking_ratio_to_an_epoch=look / whole,
            val_accuracy=run.history[-1].val_accuracy,
        )
    sentences.learned()  # the first optimiser of a process imports much
    start = time.perf_counter()
    network = sentences.learned.__wrapped__()
    report(
        "sentences",
        seconds=time.perf_counter() - start,
        epochs=sentences.EPOCHS,
        right=sentences.right(network, sentences.LEARNED),
        right_of_others=sentences.right(network, sentences.HELD_OUT),
    )


def _look(run: LearningRun) -> None:
    data = run.data
    teaching_svg.curves([teaching.Track("run", tuple(run.history))], "loss")
    teaching.filter_tiles(first_filters(run.network))
    for _, maps in activations(run.network, data.pictures[0]):  # type: ignore[arg-type]
        teaching.map_tiles(maps)
    said = run.probabilities(data.validation).argmax(1)
    matrix = confusion(said, data.labels[data.validation], len(data.classes))
    teaching_svg.matrix(matrix, data.classes)


if __name__ == "__main__":
    main()
