"""The text LLM that a training starts from says what it would predict of the translation."""

import shutil
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from fit_task import fit_task
from transformers import AutoTokenizer

from s2st_interleave.data import sides
from s2st_interleave.errors import UserError
from s2st_interleave.interleave.layout import S2ST, Layout
from s2st_interleave.interleave.schedule import Schedule
from s2st_interleave.llm import model as llm
from s2st_interleave.train import teacher, teacher_prompt
from s2st_interleave.train.collation import Batch
from s2st_interleave.train.interleaved import InterleavedTask, Interleaving
from s2st_interleave.train.options import TrainOptions
from s2st_interleave.train.teacher import Teacher

PROMPT = "Spanish: {src_text}\nEnglish: {tgt_text}"
OPTIONS = TrainOptions(
    max_steps=4, lr=1e-3, batch_size=8, accum_grad=2, save_every=2, num_threads=1
)


@pytest.fixture
def make_task(text_llm, small_dump):
    def make(weight: float = 0.0, **more) -> InterleavedTask:
        """A task; with a weight of 0 there is no teacher."""
        return InterleavedTask(
            llm.extend(text_llm, 20, attention_dropout=0.2),
            small_dump,
            small_dump,
            Interleaving(Schedule("step", 0.9, 0.3, 2), seed=5),
            8,
            2,
            "cpu",
            teacher=teacher.load(text_llm, PROMPT, weight) if weight else None,
            **more,
        )

    return make


def divergence(task: InterleavedTask, batch: Batch) -> torch.Tensor:
    _, hidden = task._states(batch)
    return task.teacher.loss_sum(batch, task.llm, hidden)


def test_what_is_taught_are_the_same_tokens_in_both_texts(make_task):
    task = make_task(1.0)
    for batch in task.batches(3):
        tokens = batch.targets[batch.taught]
        read = batch.lesson_ids.flatten()[batch.lesson_places + 1]
        assert torch.equal(read, tokens)
        places = [each.example.blocks["tgt_text"] for each in batch.examples]
        texts = [
            each.example.ids[place][-each.lesson.num_taught :].tolist()
            for each, place in zip(batch.examples, places, strict=True)
        ]
        assert tokens.tolist() == [token for text in texts for token in text]
        # All of a translation is taught, or all but its first word, before which there is
        # no space in a sequence of blocks.
        for each, place in zip(batch.examples, places, strict=True):
            untaught = each.example.ids[place][: -each.lesson.num_taught].tolist()
            assert each.lesson.num_taught and " " not in task.llm.decode(untaught)


def test_a_student_that_predicts_what_its_teacher_does_is_left_alone(make_task):
    task = make_task(1.0)
    batch = task.batches(0)[0]
    task.model.eval()
    # The student's own weights, read where the student reads.
    same = replace(
        batch,
        lesson_ids=batch.input_ids,
        lesson_mask=batch.attention_mask,
        lesson_places=batch.places[batch.taught],
    )
    task.teacher = Teacher(task.model, PROMPT, 1.0)
    loss = divergence(task, same)
    loss.backward()
    assert loss.item() == pytest.approx(0.0, abs=1e-5)
    gradients = [p.grad for p in task.model.parameters() if p.grad is not None]
    assert max(g.abs().max() for g in gradients) < 1e-4
    assert divergence(task, batch).item() > 1e-2  # it reads words in place of units


def test_a_step_against_the_gradient_brings_the_student_nearer(make_task):
    task = make_task(1.0)
    batch = task.batches(0)[0]
    task.model.eval()
    before = divergence(task, batch)
    before.backward()
    with torch.no_grad():
        for each in task.model.parameters():
            if each.grad is not None:
                each -= 1e-3 * each.grad
    assert divergence(task, batch).item() < before.item()


def test_the_loss_is_the_plain_one_and_the_weighted_divergence(make_task):
    plain, taught = make_task(), make_task(2.0)
    for task in (plain, taught):
        task.model.eval()
    batch = taught.batches(1)[0]
    with torch.no_grad():
        _, hidden = taught._states(batch)
        student = taught.llm.logits(hidden)[batch.taught]
        told = taught.teacher.model(
            batch.lesson_ids, attention_mask=batch.lesson_mask
        ).logits.flatten(0, 1)[batch.lesson_places]
        # Over the words of the text LLM alone, which knows no units.
        mine = student[:, : told.shape[1]].softmax(-1)
        p = told.softmax(-1)
        expected = (p * (p.log() - mine.log())).sum().item()
        both = taught.loss_sum(batch).item()
        alone = plain.loss_sum(plain.batches(1)[0]).item()
    assert expected > 0
    assert both == pytest.approx(alone + 2.0 * expected, rel=1e-5)


def test_a_tokenizer_may_know_a_token_that_its_llm_has_no_row_for(
    make_task, text_llm, tmp_path
):
    """It trained without a teacher; with one the shapes of their predictions differed."""
    folder = tmp_path / "llm"
    shutil.copytree(text_llm, folder)
    tokenizer = AutoTokenizer.from_pretrained(folder)
    tokenizer.add_tokens(["<further>"])
    tokenizer.save_pretrained(folder)
    task = make_task()
    task.llm = llm.extend(folder, 20)
    task.teacher = teacher.load(folder, PROMPT, 1.0)
    assert task.llm.vocabulary.num_text > len(task.teacher.model.lm_head.weight)
    assert torch.isfinite(divergence(task, task.batches(3)[0]))


def test_a_step_that_is_kept_has_what_its_teacher_read(make_task):
    """A bad step is kept to be looked at, and of a taught one a part was missing."""
    task = make_task(1.0)
    batches = task.batches(0)
    (ids, tensors), *_ = task.contents(0, batches)
    again = Batch(**tensors, examples=())
    assert len(ids) == len(batches[0].examples)
    assert task.loss_sum(again).item() == pytest.approx(
        task.loss_sum(batches[0]).item()
    )


def test_the_teacher_stays_as_it_was_and_a_resumed_run_is_taught_the_same(
    make_task, text_llm, tmp_path
):
    whole, stopped = make_task(0.5), make_task(0.5)
    resumed = make_task(0.5, num_workers=1)
    fit_task(whole, OPTIONS, tmp_path / "whole")
    fit_task(stopped, replace(OPTIONS, max_steps=2), tmp_path / "stopped")
    fit_task(resumed, OPTIONS, tmp_path / "stopped")
    resumed.close()
    mine, theirs = whole.model.state_dict(), resumed.model.state_dict()
    assert all(torch.equal(mine[name], theirs[name]) for name in mine)
    fresh, _ = llm.load_text_llm(text_llm)
    kept = whole.teacher.model.state_dict()
    assert all(torch.equal(kept[name], v) for name, v in fresh.state_dict().items())
    assert not any(p.requires_grad for p in whole.teacher.model.parameters())


def test_what_the_teacher_reads_counts_among_the_tokens(make_task):
    plain, taught = make_task(), make_task(1.0)
    counts = [t.metrics(0, t.batches(0)) for t in (plain, taught)]
    lessons = [x.lesson for batch in taught.batches(0) for x in batch.examples]
    read = sum(len(each.ids) for each in lessons)
    assert counts[1]["tokens"] == counts[0]["tokens"] + read
    assert counts[1]["num_taught"] == sum(each.num_taught for each in lessons) > 0


def test_a_prompt_ends_in_a_text_that_is_learned():
    layout = Layout.parse(S2ST)
    teacher_prompt.check(PROMPT, [layout])
    teacher_prompt.check("{src_text}", [layout])  # the transcript is learned as well
    # A line feed, as of YAML's `|`, was passed over: no token was taught, and nothing said so.
    for prompt in (PROMPT + ".", "", PROMPT + "\n"):
        with pytest.raises(UserError, match="that is learned: src_text tgt_text"):
            teacher_prompt.check(prompt, [layout])
    direct = Layout.parse("src_speech -> tgt_speech")
    with pytest.raises(UserError, match="learned: there is none"):
        teacher_prompt.check(PROMPT, [direct])


def test_a_prompt_has_the_places_of_the_tasks_sides():
    """What was written for a language that there is not was read out to the teacher."""
    layout = Layout.parse(S2ST)
    for place in ("user_text", "fr", "src_speech"):
        with pytest.raises(UserError, match=f"there is no {{{place}}}"):
            teacher_prompt.check(f"{{{place}}} {PROMPT}", [layout])


def test_what_is_too_long_for_the_teacher_is_told(make_task):
    """It failed in torch's embedding, or was read without a word."""
    task = make_task(1.0)
    task.teacher = replace(task.teacher, prompt="la " * 3000 + PROMPT)
    task.llm.model.config.max_position_embeddings = 2048
    with pytest.raises(UserError, match=r"reads \d+ tokens and has positions for 2048"):
        task.batches(0)
    # It ended a training of hours at the step that drew it.
    with pytest.raises(UserError, match=r"reads \d+ tokens and has positions for 2048"):
        teacher.check_lengths(task.train, task.teacher.prompt, task.llm)
    teacher.check_lengths(task.train, PROMPT, task.llm)


def test_languages_have_their_names_where_all_dumps_agree(tmp_path: Path):
    folders = [tmp_path / code for code in ("es", "pt")]
    for folder in folders:
        folder.mkdir()
        sides.write(folder, {"src": folder.name, "tgt": "en"})
    named = "{src}: {src_text}\n{tgt}: {tgt_text}"
    assert teacher_prompt.with_languages(named, folders[:1]) == PROMPT
    with pytest.raises(UserError, match=r"\{src\}, which is es and pt"):
        teacher_prompt.with_languages(named, folders)
    with_one = "{src_text}\n{tgt}: {tgt_text}"
    assert (
        teacher_prompt.with_languages(with_one, folders)
        == "{src_text}\nEnglish: {tgt_text}"
    )


def test_a_prompt_without_languages_asks_no_dump_for_them(tmp_path):
    """A dump that knows none was refused, whatever the prompt."""
    prompt = "{src_text} = {tgt_text}"
    assert teacher_prompt.with_languages(prompt, [tmp_path]) == prompt
    with pytest.raises(FileNotFoundError):
        teacher_prompt.with_languages("{src}: " + prompt, [tmp_path])
