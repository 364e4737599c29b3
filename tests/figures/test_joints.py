"""True joints on a photo: circles of the radius, and a cloud with the values of OKS."""

from __future__ import annotations

import numpy as np

from vision_core.comparison.people import TruePerson
from vision_core.figures.colours import VERDICTS, rgb
from vision_core.figures.joints import fall_off, joint_picture
from vision_core.metrics.joint_scores import JointScores, joint_scores
from vision_core.metrics.oks import similarities

NAMES = ("left_shoulder", "right_hip", "left_wrist")
TRUE = np.array([[20.5, 20.5], [60.5, 50.5], [80.5, 20.5]])


def scores() -> JointScores:
    found = TRUE + np.array([[0, 0], [0, 0], [0, 40]])
    return joint_scores(NAMES, found, TruePerson(NAMES, TRUE, np.ones(3, bool)))


def test_the_cloud_is_what_a_joint_there_would_add() -> None:
    made = scores()
    cloud = fall_off(made, 1.0, (70, 100))
    for x, y in ((20, 20), (25, 30), (60, 50), (75, 25), (3, 66)):
        far = np.hypot(*(TRUE - [x + 0.5, y + 0.5]).T)
        np.testing.assert_allclose(cloud[y, x], similarities(far, made.area, NAMES).max())
    assert cloud[20, 20] == 1


def test_circles_have_the_radius_and_the_colour_of_what_is_found() -> None:
    made = scores()
    assert made.radius == 10 and made.correct.tolist() == [True, True, False]
    picture = joint_picture(made, "pck", 100, 70)
    assert picture.shape == (700, 1000, 4)
    for (x, y), word in (((25, 24), "hit"), ((85, 16), "false")):
        assert picture[10 * y, 10 * x].tolist() == [*rgb(VERDICTS[word]), 80]
    for (x, y), radius in (((205, 205), 100), ((805, 205), 100)):
        assert picture[y, x - radius, 3] == 255, "the ring"
        assert picture[y, x - radius - 8, 3] == 0, "nothing outside"
