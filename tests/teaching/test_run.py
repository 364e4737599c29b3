"""Learning: the same numbers each time, back and on again, and gradients by hand."""

from __future__ import annotations

import threading
from dataclasses import replace

import numpy as np
import pytest
import torch
from sklearn.datasets import load_digits
from torch.nn import functional as F

from vision_core.errors import UserError
from vision_core.teaching import LearningSettings
from vision_core.teaching.data import LearningSet, digits, from_squares, split
from vision_core.teaching.network import PlainNet, SeededDropout
from vision_core.teaching.run import LearningRun, augmented

FULL = LearningSettings(dropout=0.3, batch_norm=True, augment=True, width=4, batch=64)


def numbers(run: LearningRun) -> list[tuple[float, ...]]:
    return [(e.loss, e.accuracy, e.val_loss, e.val_accuracy) for e in run.history]


def few(count: int = 200) -> LearningSet:
    whole = digits()
    labels = whole.labels[:count]
    parts = split(labels)
    return replace(
        whole,
        pictures=whole.pictures[:count],
        labels=labels,
        training=parts[0],
        validation=parts[1],
    )


def test_digits_are_those_of_scikit_learn_in_two_parts() -> None:
    data, found = digits(), load_digits()
    assert np.array_equal(data.pictures[:, 0] * 16, found.images)
    assert np.array_equal(data.labels, found.target)
    both = np.concatenate([data.training, data.validation])
    assert np.array_equal(np.sort(both), np.arange(1797))
    assert set(data.labels[data.validation]) == set(range(10))
    assert (np.bincount(data.labels[data.validation]) >= 34).all()


def test_a_network_learns_digits() -> None:
    run = LearningRun(digits(), LearningSettings())
    assert run.history[0].val_accuracy < 0.3
    run.learn(6)
    assert run.history[-1].val_accuracy > 0.93 and run.history[-1].loss < 0.2


@pytest.mark.parametrize("settings", [FULL, replace(FULL, optimiser="adam", rate=0.003)])
def test_the_same_settings_give_the_same_numbers_and_another_seed_others(settings) -> None:
    first, again = (LearningRun(few(), settings) for _ in range(2))
    torch.manual_seed(1)  # what others draw does not count
    first.learn(3)
    torch.manual_seed(2)
    again.learn(3)
    assert numbers(first) == numbers(again)
    other = LearningRun(few(), replace(settings, seed=1))
    other.learn(3)
    assert numbers(other)[3] != numbers(first)[3]


@pytest.mark.parametrize("settings", [FULL, replace(FULL, optimiser="adam", rate=0.003)])
def test_taken_back_and_gone_on_equals_never_gone(settings) -> None:
    straight = LearningRun(few(), settings)
    straight.learn(5)
    run = LearningRun(few(), settings)
    run.learn(4)
    run.back_to(2)
    assert run.epoch == 2 and len(run.history) == 3
    run.advance(0)  # part of an epoch, then back again: that is forgotten too
    run.back_to(1)
    run.learn(4)
    assert numbers(run) == numbers(straight)
    for key, value in straight.network.state_dict().items():
        assert torch.equal(value, run.network.state_dict()[key]), key


def test_slices_equal_whole_epochs_and_looking_changes_nothing() -> None:
    whole = LearningRun(few(), FULL)
    whole.learn(2)
    sliced = LearningRun(few(), FULL)
    slices = 0
    while sliced.epoch < 2:
        sliced.advance(0)
        slices += 1
        sliced.probabilities(sliced.data.validation)
    assert slices > 4 and numbers(sliced) == numbers(whole)


def test_no_turn_is_taken_that_nobody_wants_any_more(monkeypatch) -> None:
    monkeypatch.setattr("vision_core.teaching.run.TURN", 0.0)  # a step
    run, asked = LearningRun(few(), FULL), iter([True, False])
    assert not run.advance(60, lambda: next(asked))
    assert next(asked, "all were asked") == "all were asked"
    assert run.epoch == 0 and 0 < run.share < 1


def test_many_who_learn_at_once_get_what_one_gets_alone() -> None:
    alone = LearningRun(few(), FULL)
    alone.learn(2)
    runs = [LearningRun(few(), FULL) for _ in range(4)]
    threads = [threading.Thread(target=run.learn, args=(2,)) for run in runs]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert all(numbers(run) == numbers(alone) for run in runs)


def test_states_are_bounded_and_what_is_gone_is_told() -> None:
    run = LearningRun(few(), FULL)
    each = next(iter(run._states.values())).nbytes
    small = LearningRun(few(), FULL, most=5 * each)
    small.learn(5)
    assert small.held[0] == 0 and small.held[-1] == 5 and len(small.held) < 6
    with pytest.raises(UserError, match="no longer held"):
        small.back_to(1)
    assert LearningRun(few(), FULL, most=0).held == ()
    assert run.nbytes - LearningRun(few(), FULL, most=0).nbytes == each
    assert 5 * each >= small.nbytes - LearningRun(few(), FULL, most=0).nbytes > 3 * each


def test_a_rate_that_is_too_high_is_told() -> None:
    run = LearningRun(few(), LearningSettings(rate=10.0, decay=1.0))
    with pytest.raises(UserError, match="no longer a finite number"):
        run.learn(60)
    run.back_to(0)
    assert np.isfinite(run.history[-1].loss)


def by_hand(network: PlainNet, x: np.ndarray, labels: np.ndarray) -> dict[str, np.ndarray]:
    """Backpropagation of conv, ReLU, 2x2 max pooling, linear and softmax, in loops."""
    conv = network.layers[0][0]
    w, b = (p.detach().numpy() for p in (conv.weight, conv.bias))
    fw, fb = (p.detach().numpy() for p in (network.fc.weight, network.fc.bias))
    n, _, tall, wide = x.shape
    padded = np.pad(x, ((0, 0), (0, 0), (1, 1), (1, 1)))
    z = np.zeros((n, len(w), tall, wide))
    for i in range(tall):
        for j in range(wide):
            window = padded[:, :, i : i + 3, j : j + 3]
            z[:, :, i, j] = np.tensordot(window, w, ([1, 2, 3], [1, 2, 3])) + b
    a = np.maximum(z, 0)
    cells = a.reshape(n, len(w), tall // 2, 2, wide // 2, 2).transpose(0, 1, 2, 4, 3, 5)
    cells = cells.reshape(n, len(w), tall // 2, wide // 2, 4)
    flat = cells.max(-1).reshape(n, -1)
    logits = flat @ fw.T + fb
    p = np.exp(logits - logits.max(1, keepdims=True))
    p /= p.sum(1, keepdims=True)
    p[np.arange(n), labels] -= 1
    p /= n
    back = np.zeros_like(cells)
    np.put_along_axis(
        back, cells.argmax(-1)[..., None], (p @ fw).reshape(cells.shape[:-1])[..., None], -1
    )
    back = back.reshape(n, len(w), tall // 2, wide // 2, 2, 2).transpose(0, 1, 2, 4, 3, 5)
    dz = back.reshape(z.shape) * (z > 0)
    dw = np.zeros_like(w)
    for i in range(tall):
        for j in range(wide):
            dw += np.tensordot(dz[:, :, i, j], padded[:, :, i : i + 3, j : j + 3], ([0], [0]))
    return {
        "layers.0.0.weight": dw,
        "layers.0.0.bias": dz.sum((0, 2, 3)),
        "fc.weight": p.T @ flat,
        "fc.bias": p.sum(0),
    }


def test_gradients_by_hand_and_by_differences_equal_autograd() -> None:
    settings = LearningSettings(depth=1, width=3)
    network = PlainNet(settings, 1, 8, 10).double()
    data = digits()
    # A little noise: where empty windows give exactly 0, ReLU has no derivative.
    x = data.pictures[:12] + np.random.default_rng(0).normal(0, 0.1, (12, 1, 8, 8))
    labels = data.labels[:12].copy()

    def loss() -> torch.Tensor:
        return F.cross_entropy(network(torch.from_numpy(x)), torch.from_numpy(labels))

    loss().backward()
    expected = by_hand(network, x, labels)
    for name, parameter in network.named_parameters():
        np.testing.assert_allclose(parameter.grad.numpy(), expected[name], atol=1e-12)
        values, own = parameter.detach().view(-1), parameter.grad.view(-1)
        for at in range(0, len(values), max(1, len(values) // 5)):
            before, step = float(values[at]), 1e-6
            values[at] = before + step
            high = loss().item()
            values[at] = before - step
            low = loss().item()
            values[at] = before
            assert (high - low) / (2 * step) == pytest.approx(float(own[at]), abs=1e-7)


def test_a_step_is_that_of_the_papers() -> None:
    """Two full-batch steps of SGD with momentum, written out; weights decay and biases do not."""
    data = few(40)
    batch = len(data.training)
    settings = LearningSettings(depth=1, width=2, rate=0.05, momentum=0.8, decay=0.01, batch=batch)
    network = PlainNet(settings, 1, 8, 10).double()
    values = {k: v.detach().numpy().copy() for k, v in network.named_parameters()}
    speed = {k: np.zeros_like(v) for k, v in values.items()}
    copy = PlainNet(settings, 1, 8, 10).double()
    x = data.pictures[data.training].astype(np.float64)
    for _ in range(2):
        copy.load_state_dict({k: torch.from_numpy(v) for k, v in values.items()})
        for k, g in by_hand(copy, x, data.labels[data.training]).items():
            g = g + (0.01 * values[k] if values[k].ndim > 1 else 0)
            speed[k] = 0.8 * speed[k] + g
            values[k] = values[k] - 0.05 * speed[k]
    run = LearningRun(data, settings, network)
    run.learn(2)
    for k, v in run.network.named_parameters():
        np.testing.assert_allclose(v.detach().numpy(), values[k], rtol=1e-9, atol=1e-12)


def test_dropout_keeps_the_mean_and_is_off_when_asked() -> None:
    drop, x = SeededDropout(0.4), torch.ones(200, 500)
    made = drop(x)
    assert sorted(made.unique().tolist()) == pytest.approx([0.0, 1 / 0.6])
    assert float(made.mean()) == pytest.approx(1, abs=0.01)
    assert torch.equal(drop.eval()(x), x)


def test_augmentation_moves_and_mirrors_whole_pictures() -> None:
    picture = torch.arange(64.0).view(1, 1, 8, 8)
    made = augmented(picture.expand(400, 1, 8, 8), True, torch.Generator().manual_seed(0))
    padded = np.pad(picture[0, 0].numpy(), 1, mode="edge")
    allowed = [
        cut
        for i in range(3)
        for j in range(3)
        for p in [padded[i : i + 8, j : j + 8]]
        for cut in (p, p[:, ::-1])
    ]
    seen = {
        next(k for k, a in enumerate(allowed) if np.array_equal(a, one[0].numpy())) for one in made
    }
    assert seen == set(range(18))


def test_no_batch_of_one_picture_is_left_over() -> None:
    data = few(60)
    batch = len(data.training) - 1
    run = LearningRun(data, LearningSettings(batch=batch, depth=4, batch_norm=True))
    run.learn(1)
    assert run.epoch == 1


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"rate": 0.0}, "learning rate must lie"),
        ({"rate": float("nan")}, "learning rate must lie"),
        ({"depth": 5}, "depth must lie"),
        ({"dropout": 1.0}, "dropout probability must lie"),
        ({"batch": 1}, "batch size must lie"),
        ({"optimiser": "lbfgs"}, "no optimiser 'lbfgs'"),
    ],
)
def test_wrong_settings_are_one_sentence(change, said) -> None:
    with pytest.raises(UserError, match=said):
        LearningSettings(**change)


def test_classes_that_cannot_be_learned_are_refused() -> None:
    one = np.zeros((96, 96, 3), np.uint8)
    with pytest.raises(UserError, match="2 to 8 classes"):
        from_squares({"a": [one, one]})
    with pytest.raises(UserError, match="'b' has 1 pictures"):
        from_squares({"a": [one, one], "b": [one]})
    made = from_squares({"a": [one] * 2, "b": [one] * 11})
    assert len(made.validation) == 3 and set(made.labels[made.training]) == {0, 1}


def test_once_it_has_settled_no_turn_is_taken_that_nobody_wants() -> None:
    run, wanted = LearningRun(digits(), LearningSettings()), threading.Event()
    wanted.set()

    def learn() -> None:
        while wanted.is_set():
            run.advance(0.2, wanted.is_set)

    other = threading.Thread(target=learn)
    other.start()
    for _ in range(3):  # wherever it is just then
        before = (run.epoch, run.share)
        while (run.epoch, run.share) == before:
            pass
    wanted.clear()
    run.settle()
    seen = run.epoch, run.share
    other.join()
    assert (run.epoch, run.share) == seen


def test_two_threads_that_go_on_with_one_run_learn_as_one_does() -> None:
    alone, shared = (LearningRun(few(), FULL) for _ in range(2))
    alone.learn(4)
    faults: list[Exception] = []

    def learn() -> None:
        try:
            while shared.epoch < 4:
                shared.advance(0.001, lambda: shared.epoch < 4)
        except Exception as error:
            faults.append(error)

    both = [threading.Thread(target=learn) for _ in range(2)]
    for thread in both:
        thread.start()
    for thread in both:
        thread.join()
    assert faults == []
    assert numbers(shared) == numbers(alone)
