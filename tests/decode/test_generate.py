"""Decoding: text in text blocks, units in the unit block, whatever the model likes."""

import numpy as np
import pytest

from s2st_interleave.decode.generate import Limits, parse_answer, translate
from s2st_interleave.train import llm


@pytest.fixture(scope="module")
def speech_llm(text_llm):
    made = llm.extend(text_llm, 20, new_rows="normal")
    made.model.eval()
    return made


SOURCES = {f"u{i}": (np.arange(5 + 3 * i) % 20).astype(np.int32) for i in range(5)}
LIMITS = Limits(max_text_tokens=6, max_unit_ratio=1.5, min_max_units=8)


@pytest.mark.parametrize("num_beams", [1, 3])
def test_a_random_model_still_answers_in_blocks(speech_llm, num_beams):
    limits = Limits(6, 1.5, 8, num_beams)
    found = translate(SOURCES, speech_llm, limits=limits, batch_size=2)
    assert found.keys() == SOURCES.keys()
    for name, one in found.items():
        most = max(8, int(1.5 * len(SOURCES[name])))
        assert 1 <= len(one.units) <= most
        assert one.units.min() >= 0 and one.units.max() < 20


def test_without_chain_of_thought_there_are_units_only(speech_llm):
    found = translate(SOURCES, speech_llm, cot=False, limits=LIMITS, batch_size=3)
    assert all(not one.transcript and len(one.units) for one in found.values())


def test_answers_do_not_depend_on_the_batch(speech_llm):
    """Left padding must not reach what the model says."""
    alone = translate(SOURCES, speech_llm, limits=LIMITS, batch_size=1)
    together = translate(SOURCES, speech_llm, limits=LIMITS, batch_size=5)
    for name in SOURCES:
        assert alone[name].transcript == together[name].transcript
        assert np.array_equal(alone[name].units, together[name].units)


def test_an_answer_that_stops_early_has_empty_parts(speech_llm):
    vocabulary = speech_llm.vocabulary
    text = speech_llm.encode("la casa")
    answer = [*text, vocabulary.sep, *text, vocabulary.eos, vocabulary.pad]
    parsed = parse_answer(answer, speech_llm, cot=True)
    assert (parsed.transcript, parsed.translation) == ("la casa", "la casa")
    assert len(parsed.units) == 0


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
    before, after = (translate(SOURCES, m, limits=LIMITS) for m in (speech_llm, loaded))
    assert all(np.array_equal(before[k].units, after[k].units) for k in SOURCES)
