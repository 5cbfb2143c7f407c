"""Logits of some targets at a time give the loss and the gradients of all at once."""

import pytest
import torch
from tiny_llms import KINDS, NUM_UNITS

from s2st_interleave.interleave.schedule import Schedule
from s2st_interleave.llm import model as llm
from s2st_interleave.llm.backbone import uses_all_weights
from s2st_interleave.llm.loss import (
    cross_entropy_sum,
    divergence_sum,
    num_right,
    teaching_sum,
)
from s2st_interleave.train.interleaved import InterleavedTask, Interleaving


def gradients(
    speech_llm, data, logits_at_once: int, unit_weight: float = 1.0
) -> tuple[float, dict]:
    task = InterleavedTask(
        speech_llm,
        data,
        data,
        Interleaving(Schedule("constant", 0.5)),
        4,
        1,
        "cpu",
        logits_at_once=logits_at_once,
        unit_weight=unit_weight,
    )
    speech_llm.model.eval()
    speech_llm.model.zero_grad(set_to_none=True)
    (batch,) = task.batches(0)
    loss = task.loss_sum(batch)
    (loss / len(batch.targets)).backward()
    named = speech_llm.model.named_parameters()
    return loss.item(), {name: p.grad for name, p in named}


def assert_close(parts: dict, whole: dict, tolerance: float) -> None:
    largest = max(gradient.abs().max().item() for gradient in whole.values())
    for name, gradient in whole.items():
        # A bias of attention keys has no gradient but what rounding leaves.
        scale = max(gradient.abs().max().item(), 1e-4 * largest)
        close = {"rtol": 0.0, "atol": tolerance * scale}
        torch.testing.assert_close(parts[name], gradient, **close)


@pytest.mark.parametrize("kind", KINDS)
def test_parts_of_logits_train_what_all_of_them_train(kind, folder, small_dump):
    """Within rounding: 1e-5 of the largest gradient of a tensor, or of what is left of 0."""
    speech_llm = llm.extend(folder(kind), NUM_UNITS)
    loss, whole = gradients(speech_llm, small_dump, 0)
    again, parts = gradients(speech_llm, small_dump, 7)
    assert again == pytest.approx(loss, rel=1e-6)
    assert_close(parts, whole, 1e-5)


@pytest.mark.parametrize("kind", KINDS)
def test_a_model_that_is_said_to_use_all_its_weights_does(kind, folder, small_dump):
    speech_llm = llm.extend(folder(kind), NUM_UNITS)
    _, whole = gradients(speech_llm, small_dump, 0)
    assert uses_all_weights(speech_llm.model)
    assert all(gradient is not None for gradient in whole.values())


def test_what_is_summed_over_parts_is_not_rounded_to_bf16(folder, small_dump):
    speech_llm = llm.extend(folder("Llama"), NUM_UNITS, bf16=True)
    loss, whole = gradients(speech_llm, small_dump, 0)
    again, parts = gradients(speech_llm, small_dump, 7)
    assert again == pytest.approx(loss, rel=2e-3)
    assert_close(parts, whole, 2e-2)


def test_a_unit_that_comes_again_and_again_has_its_gradient_in_bf16(folder):
    """What torch sums in bf16 stops growing, as 256 + 1 is 256 there: 9 % were missing."""
    speech_llm = llm.extend(folder("Llama"), NUM_UNITS, bf16=True)
    weight = speech_llm.model.get_output_embeddings().weight
    hidden = torch.randn(1, weight.shape[1], generator=torch.Generator().manual_seed(0))
    hidden, targets = hidden.expand(2000, -1), torch.full((2000,), 5)
    found = []
    for logits_at_once in (0, 16):
        speech_llm.model.zero_grad(set_to_none=True)
        with torch.autocast("cpu", torch.bfloat16):
            loss = cross_entropy_sum(speech_llm.model, hidden, targets, logits_at_once)
        loss.backward()
        found.append((loss.item(), weight.grad[5].clone()))
    (loss, whole), (again, parts) = found
    assert again == pytest.approx(loss, rel=1e-5)
    torch.testing.assert_close(
        parts, whole, rtol=0, atol=1e-2 * whole.abs().max().item()
    )


@pytest.mark.parametrize("bf16", [False, True])
@pytest.mark.parametrize("kind", ["Llama", "Gemma2"])
def test_divergences_in_parts_are_those_of_all_logits(kind, bf16, folder):
    """Two views, and a teacher, had the logits of all their positions at once."""
    speech_llm = llm.extend(folder(kind), NUM_UNITS, bf16=bf16)
    other = llm.extend(folder(kind), NUM_UNITS, seed=1)
    model, weight = speech_llm.model, speech_llm.model.get_output_embeddings().weight
    first, second = torch.randn(2, 40, 32, generator=torch.Generator().manual_seed(0))
    several = {
        "views": lambda size: divergence_sum(model, first, second, size),
        "teacher": lambda size: teaching_sum(
            (model, first), (other.model, second), 20, size
        ),
    }
    for told in several.values():
        sums, gradients = [], []
        for size in (0, 7):
            model.zero_grad(set_to_none=True)
            with speech_llm.autocast():
                summed = told(size)
            summed.backward()
            sums.append(summed.item())
            gradients.append(weight.grad.clone())
        assert sums[0] > 0 and sums[1] == pytest.approx(sums[0], rel=1e-5)
        most = gradients[0].abs().max().item()
        close = {"rtol": 0, "atol": (2e-2 if bf16 else 1e-5) * most}
        torch.testing.assert_close(gradients[1], gradients[0], **close)


def test_parts_count_the_same_right_targets(folder):
    speech_llm = llm.extend(folder("Gemma2"), NUM_UNITS)
    hidden = torch.randn(11, 32, generator=torch.Generator().manual_seed(0))
    best = speech_llm.logits(hidden).argmax(-1)
    targets = torch.where(torch.arange(11) < 6, best, (best + 1) % 7)
    loss, hits = num_right(speech_llm.model, hidden, targets)
    again, same = num_right(speech_llm.model, hidden, targets, 4)
    assert int(hits) == int(same) >= 6
    assert again.item() == pytest.approx(loss.item(), rel=1e-6)
    whole = cross_entropy_sum(speech_llm.model, hidden, targets)
    assert loss.item() == whole.item()


def test_a_unit_counts_as_much_in_the_loss_as_its_weight_says(folder, small_dump):
    speech_llm = llm.extend(folder("Llama"), NUM_UNITS)
    loss, whole = gradients(speech_llm, small_dump, 0, unit_weight=0.2)
    again, parts = gradients(speech_llm, small_dump, 7, unit_weight=0.2)
    assert again == pytest.approx(loss, rel=1e-6)
    assert_close(parts, whole, 1e-5)

    paper = Interleaving(Schedule("constant", 0.5))
    plain, light = (
        InterleavedTask(
            speech_llm, small_dump, small_dump, paper, 4, 1, "cpu", unit_weight=weight
        )
        for weight in (1.0, 0.2)
    )
    (batch,) = light.batches(0)
    units = batch.targets >= speech_llm.vocabulary.offset
    assert light.num_targets(batch) == pytest.approx((~units).sum() + 0.2 * units.sum())
    with torch.no_grad():
        _, hidden = light._states(batch)
        each = torch.nn.functional.cross_entropy(
            speech_llm.logits(hidden), batch.targets, reduction="none"
        )
    assert loss == pytest.approx((each[~units].sum() + 0.2 * each[units].sum()).item())
    assert plain.num_targets(batch) == len(batch.targets)
    # The dev loss stays what it is for every system: systems compare by it.
    assert light.evaluate() == plain.evaluate()
