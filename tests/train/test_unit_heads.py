"""Heads that predict further units: what they learn from, and that only a training has them."""

import warnings
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from fit_task import fit_task
from safetensors.torch import load_file
from torch.nn.functional import cross_entropy
from transformers import AutoModelForCausalLM

from s2st_interleave.errors import UserError
from s2st_interleave.interleave.schedule import Schedule
from s2st_interleave.interleave.sequence import IGNORE
from s2st_interleave.interleave.vocabulary import Vocabulary
from s2st_interleave.llm import model as llm
from s2st_interleave.llm import unit_heads
from s2st_interleave.llm.options import HEADS_FILE
from s2st_interleave.pack import command as packing
from s2st_interleave.train import checkpoint, checksums
from s2st_interleave.train.interleaved import InterleavedTask, Interleaving
from s2st_interleave.train.options import TrainOptions

OPTIONS = TrainOptions(
    max_steps=4, lr=1e-3, batch_size=8, accum_grad=2, save_every=2, num_threads=1
)
SMALL = Vocabulary(num_text=10, num_units=5, bos=1, eos=2)  # unit k is token 13 + k


@pytest.fixture
def make_task(text_llm, small_dump):
    def make(num: int = 0, weight: float = 0.3, **more) -> InterleavedTask:
        """A task with `num` heads; with 0 there are none."""
        more = {"attention_dropout": 0.2} | more
        made = llm.extend(text_llm, 20, **more)
        if num:
            unit_heads.add(made.model, made.vocabulary, num)
        return InterleavedTask(
            made,
            small_dump,
            small_dump,
            Interleaving(Schedule("step", 0.9, 0.3, 2), seed=5),
            8,
            2,
            "cpu",
            unit_heads_weight=weight if num else 0.0,
        )

    return make


def wanted(targets: list[int], places: list[int], num: int) -> list[list[int]]:
    tensors = torch.tensor(targets), torch.tensor(places)
    found = unit_heads.further_units(*tensors, SMALL, num)
    return [[None if u == IGNORE else u for u in each.tolist()] for each in found]


def test_a_run_of_units_ends_at_text_at_a_mark_and_at_the_end_of_a_row():
    text, mark = 4, SMALL.sep
    tokens = [text, 13, 14, 15, text, 16, 17, mark, 13]
    assert wanted(tokens, list(range(3, 12)), 2) == [
        [None, 1, 2, None, None, 4, None, None, None],
        [None, 2, None, None, None, None, None, None, None],
    ]
    # The last place of a row predicts nothing: rows have a place between them.
    assert wanted([13, 14, 15, 16], [4, 5, 7, 8], 3) == [
        [1, None, 3, None],
        [None] * 4,
        [None] * 4,
    ]
    assert wanted([], [], 2) == [[], []] and wanted([13], [0], 2) == [[None], [None]]


def test_what_heads_are_to_predict_are_the_units_of_each_sequence(make_task):
    task = make_task(3)
    vocabulary = task.llm.vocabulary
    for batch in task.batches(5):  # the ratio is 0.3: runs are broken
        found = unit_heads.further_units(batch.targets, batch.places, vocabulary, 3)
        columns = batch.input_ids.shape[1]
        for j, units in enumerate(found, start=1):
            plain = []
            for place in batch.places.tolist():
                row, column = divmod(place, columns)
                run = batch.labels[row, column + 1 : column + 2 + j]
                whole = len(run) == j + 1 and bool((run >= vocabulary.offset).all())
                plain.append(int(run[-1]) - vocabulary.offset if whole else IGNORE)
            assert units.tolist() == plain
        assert (found[0] != IGNORE).sum() > (found[2] != IGNORE).sum() > 0


def test_the_loss_is_the_plain_one_and_the_weighted_mean_of_the_heads(make_task):
    plain, headed = make_task(), make_task(2, weight=0.5)
    for task in (plain, headed):
        task.model.eval()
    torch.nn.init.normal_(headed.model.unit_heads.weight, std=0.1)
    batch, vocabulary = headed.batches(2)[0], headed.llm.vocabulary
    with torch.no_grad():
        _, hidden = headed._states(batch)
        both = headed.loss_sum(batch).item()
        alone = plain.loss_sum(plain.batches(2)[0]).item()
        expected = 0.0
        for j, weight in enumerate(headed.model.unit_heads.weight.chunk(2), start=1):
            for i, place in enumerate(batch.places.tolist()):
                run = batch.targets[i : i + j + 1]
                beside = batch.places[i : i + j + 1].tolist()
                if beside != list(range(place, place + j + 1)):
                    continue
                if (run < vocabulary.offset).any():
                    continue
                scores = headed.llm.logits(hidden[i] + weight @ hidden[i])
                unit = run[-1] - vocabulary.offset
                expected += cross_entropy(scores[vocabulary.offset :], unit).item()
    assert expected > 0
    assert both == pytest.approx(alone + 0.5 * expected / 2, rel=1e-5)
    assert headed.num_targets(batch) == batch.num_targets


def test_heads_start_from_what_predicts_the_next_unit_and_learn(make_task, tmp_path):
    plain, headed = make_task(), make_task(2)
    first = next(plain.model.parameters()), next(headed.model.parameters())
    assert torch.equal(*first)  # heads take no random number
    assert not headed.model.unit_heads.weight.any()
    fit_task(headed, OPTIONS, tmp_path / "headed")
    fit_task(plain, OPTIONS, tmp_path / "plain")
    assert all(part.any() for part in headed.model.unit_heads.weight.chunk(2))
    mine, theirs = plain.model.state_dict(), headed.model.state_dict()
    assert theirs.keys() - mine.keys() == {"unit_heads.weight"}
    assert not any(torch.equal(mine[name], theirs[name]) for name in mine)


def test_heads_learn_in_bf16_as_well(make_task):
    task = make_task(2)
    task.model.eval()
    batch = task.batches(5)[0]
    exact = task.loss_sum(batch).item()
    task.llm = replace(task.llm, bf16=True)
    rounded = task.loss_sum(batch)
    rounded.backward()
    assert rounded.item() == pytest.approx(exact, rel=0.01)
    assert rounded.item() != exact
    assert task.model.unit_heads.weight.grad.dtype == torch.float32


def test_a_batch_without_units_gives_heads_a_gradient_of_nothing(make_task):
    """Of ranks, all are to have one."""
    task = make_task(2)
    batch = task.batches(0)[0]
    texts = (~task.llm.vocabulary.is_unit(batch.targets)).nonzero()[:, 0]
    few = replace(batch, targets=batch.targets[texts], places=batch.places[texts])
    task.loss_sum(few).backward()
    assert not task.model.unit_heads.weight.grad.any()


@pytest.mark.parametrize("lora_rank", [0, 4])
def test_a_resumed_run_has_the_bits_of_an_undisturbed_one(
    make_task, tmp_path, lora_rank
):
    whole, stopped, resumed = (make_task(2, lora_rank=lora_rank) for _ in range(3))
    fit_task(whole, OPTIONS, tmp_path / "whole")
    fit_task(stopped, replace(OPTIONS, max_steps=2), tmp_path / "stopped")
    fit_task(resumed, OPTIONS, tmp_path / "stopped")
    mine, theirs = whole.model.state_dict(), resumed.model.state_dict()
    assert mine.keys() == theirs.keys() and mine["unit_heads.weight"].any()
    assert all(torch.equal(mine[name], theirs[name]) for name in mine)


@pytest.mark.parametrize("lora_rank", [0, 4])
def test_who_reads_a_checkpoint_gets_a_plain_model(
    make_task, tmp_path, lora_rank, capfd
):
    task = make_task(2, lora_rank=lora_rank)
    folder = fit_task(task, OPTIONS, tmp_path).last
    names = {"unit_heads.weight"}
    assert load_file(folder / HEADS_FILE).keys() == names
    for file in folder.glob("*.safetensors"):  # which some engines load, all of them
        assert not names & load_file(file).keys()
    capfd.readouterr()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        _, told = AutoModelForCausalLM.from_pretrained(folder, output_loading_info=True)
        read = llm.SpeechLlm.load(folder)
    assert not any(told.values()) and "unit_heads" not in "".join(capfd.readouterr())
    assert "unit_heads.weight" not in read.model.state_dict()
    packed = {path.name for path in packing._models(folder)}
    assert "model.safetensors" in packed and Path(HEADS_FILE).name not in packed


def test_heads_that_were_changed_on_disk_are_noticed(make_task, tmp_path, capsys):
    folder = fit_task(make_task(1), OPTIONS, tmp_path).last
    assert checksums.broken_file(folder) is None
    (folder / HEADS_FILE).unlink()
    assert checksums.broken_file(folder) == folder / HEADS_FILE
    assert checkpoint.newest(tmp_path, 8) != folder
    assert f"{HEADS_FILE} is broken" in capsys.readouterr().out


@pytest.mark.parametrize("more", ["nothing", "a cap", "a bias"])
def test_a_head_chooses_by_the_logits_of_the_model(make_task, more):
    task = make_task()
    vocabulary, layer = task.llm.vocabulary, task.model.get_output_embeddings()
    if more == "a cap":
        task.model.config.final_logit_softcapping = 5.0
    if more == "a bias":
        layer.bias = torch.nn.Parameter(torch.randn(vocabulary.size))
    hidden = 10 * torch.randn(3, task.model.config.hidden_size)
    found = unit_heads.unit_logits(task.model, vocabulary, hidden)
    torch.testing.assert_close(found, task.llm.logits(hidden)[:, vocabulary.offset :])


def test_an_output_layer_that_does_more_is_refused(make_task):
    task = make_task()
    layer = task.model.get_output_embeddings()
    layer.register_forward_hook(lambda _, __, output: 2 * output)
    with pytest.raises(UserError, match="no plain product, which --unit_heads wants"):
        unit_heads.add(task.model, task.llm.vocabulary, 1)
