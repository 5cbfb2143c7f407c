"""Decoding: text in text blocks, units in the unit block, whatever the model likes."""

from dataclasses import replace

import answers
import numpy as np
import pytest
from answers import LAYOUT, units_of

from s2st_interleave.decode.generate import Limits, answer_all, parse_answer
from s2st_interleave.interleave.layout import Layout
from s2st_interleave.llm import model as llm


@pytest.fixture(scope="module")
def speech_llm(text_llm):
    speech_llm = llm.extend(text_llm, 20, new_rows="normal")
    speech_llm.model.eval()
    return speech_llm


SOURCES = {f"u{i}": (np.arange(5 + 3 * i) % 20).astype(np.int32) for i in range(5)}
LIMITS = Limits(
    max_text_tokens=6, max_unit_ratio=1.5, max_units_per_token=5, min_max_units=8
)


def translate(llm_, **more):
    return answers.translate(SOURCES, llm_, **more)


@pytest.mark.parametrize("num_beams", [1, 3])
def test_a_random_model_still_answers_in_blocks(speech_llm, num_beams):
    limits = replace(LIMITS, num_beams=num_beams)
    answers = translate(speech_llm, limits=limits, batch_size=2)
    assert answers.keys() == SOURCES.keys()
    for name, answer in answers.items():
        most = max(8, int(1.5 * len(SOURCES[name])))
        units = answer.units["tgt_speech"]
        assert 1 <= len(units) <= most
        assert units.min() >= 0 and units.max() < 20


@pytest.mark.parametrize(
    ("line", "texts", "units"),
    [
        ("src_speech -> tgt_speech", [], ["tgt_speech"]),
        ("src_speech -> src_text tgt_text", ["src_text", "tgt_text"], []),
        ("src_speech -> src_text", ["src_text"], []),
        ("tgt_text -> tgt_speech", [], ["tgt_speech"]),
    ],
)
def test_an_answer_has_the_blocks_of_its_task(speech_llm, line, texts, units):
    layout = Layout.parse(line)
    is_text = layout.given[0].kind == "text"
    given = {
        name: {layout.given[0].name: "la casa" if is_text else source}
        for name, source in SOURCES.items()
    }
    answers = answer_all(given, speech_llm, layout, limits=LIMITS, batch_size=3)
    for answer in answers.values():
        assert list(answer.texts) == texts and list(answer.units) == units
        assert all(1 <= len(part) <= 40 for part in answer.units.values())


def test_speech_of_a_text_ends_at_its_limit_per_token(speech_llm):
    layout = Layout.parse("tgt_text -> tgt_speech")
    limits = Limits(max_units_per_token=2.0, min_max_units=3)
    answer = answer_all({"u": {"tgt_text": "la"}}, speech_llm, layout, limits=limits)
    most = max(3, 2 * len(speech_llm.encode("la")))
    assert len(answer["u"].units["tgt_speech"]) <= most


def test_answers_do_not_depend_on_the_batch(speech_llm):
    """Left padding must not reach what the model says."""
    alone = translate(speech_llm, limits=LIMITS, batch_size=1)
    together = translate(speech_llm, limits=LIMITS, batch_size=5)
    for name in SOURCES:
        assert alone[name].texts == together[name].texts
        assert np.array_equal(units_of(alone[name]), units_of(together[name]))


def test_an_answer_that_stops_early_has_empty_parts(speech_llm):
    vocabulary = speech_llm.vocabulary
    text = speech_llm.encode("la casa")
    answer = [*text, vocabulary.sep, *text, vocabulary.eos, vocabulary.pad]
    parsed = parse_answer(answer, speech_llm, LAYOUT)
    assert parsed.texts == {"src_text": "la casa", "tgt_text": "la casa"}
    assert len(units_of(parsed)) == 0
    assert parsed.cut == ()
    assert parse_answer(answer, speech_llm, LAYOUT, len(text)).cut == tuple(
        parsed.texts
    )
    assert parse_answer(answer, speech_llm, LAYOUT, len(text) + 1, 1).cut == ()


def test_text_is_one_line_whatever_the_llm_says(speech_llm):
    """A line break in a transcript made stage 7 fail after all its work."""
    assert speech_llm.decode(speech_llm.encode("la\ncasa \n")) == "la casa"


def test_a_saved_llm_loads_as_a_plain_causal_lm_and_answers_alike(speech_llm, tmp_path):
    from transformers import AutoModelForCausalLM

    folder = tmp_path / "saved here"
    speech_llm.save(folder)
    assert AutoModelForCausalLM.from_pretrained(folder).config.vocab_size == (
        speech_llm.vocabulary.size
    )
    loaded = llm.SpeechLlm.load(folder)
    before, after = (translate(m, limits=LIMITS) for m in (speech_llm, loaded))
    for name in SOURCES:
        assert np.array_equal(units_of(before[name]), units_of(after[name]))
