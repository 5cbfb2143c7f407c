"""chrF and TER are sacrebleu's; exact is to the word; loops are what Whisper calls so."""

import pytest
import sacrebleu
from made_texts import corrupted, references

from s2st_interleave.errors import UserError
from s2st_interleave.score.evidence import Evidence
from s2st_interleave.score.measure import Measured, measure
from s2st_interleave.score.metrics import METRICS
from s2st_interleave.score.metrics.loops import is_loop

REFERENCES = {"a": "The house is red.", "b": "it's nine o'clock", "c": "yes", "d": "no"}


def scored(name: str, hypotheses: dict[str, str], texts=None, code="en") -> Measured:
    evidence = Evidence(texts or REFERENCES, hypotheses, code)
    return measure(METRICS[name], evidence, num_resamples=20, seed=0)


@pytest.mark.parametrize("name", ["chrf", "ter"])
def test_scores_of_corpus_and_sentence_are_sacrebleus(name):
    refs = references()
    hyps = corrupted(refs, 0.2, seed=1)
    theirs = {"chrf": sacrebleu.metrics.CHRF, "ter": sacrebleu.metrics.TER}[name]()
    corpus = theirs.corpus_score(list(hyps.values()), [list(refs.values())])
    ours = scored(name, hyps, refs)
    assert ours.score.value == pytest.approx(corpus.score, rel=1e-12)
    assert ours.score.signature == str(theirs.get_signature())
    assert ours.score.ci95[0] < ours.score.value < ours.score.ci95[1]
    for utterance, score in ours.utterances.items():
        both = hyps[utterance], [refs[utterance]]
        assert score == pytest.approx(theirs.sentence_score(*both).score)


def test_ter_is_refused_where_words_have_no_spaces_between_them():
    with pytest.raises(UserError, match="Chinese has no spaces: take cer"):
        scored("ter", {"a": "今天"}, {"a": "今天"}, code="zh-CN")


def test_exact_is_of_normalised_texts_and_a_missing_one_is_not():
    found = scored(
        "exact", {"a": "the house is red", "b": "It is 9 o'clock!", "c": "yes yes"}
    )
    assert found.utterances == {"a": 100, "b": 100, "c": 0, "d": 0}
    assert found.score.value == 50 and found.score.num_utterances == 4
    assert scored("exact", {}, {"a": "..."}).score.value == 0


def test_a_loop_is_what_whisper_would_decode_again():
    from whisper.utils import compression_ratio

    heard = {"a": "the house " * 30, "b": "it's nine o'clock", "c": ""}
    found = scored("loops", heard)
    assert found.utterances["a"] == 100 and found.utterances["b"] == 0
    assert found.score.num_utterances == 3  # d was not heard at all
    for number in range(1, 30):
        text = "at nine in the morning " * number
        loops = scored("loops", {"a": text}).utterances["a"] == 100
        assert loops == (compression_ratio(text) > 2.4)


def test_characters_are_counted_without_spaces():
    found = scored("cer", {"a": "the mouse is red", "b": "it is 9 o'clock", "c": "yes"})
    assert found.utterances["a"] == pytest.approx(100 / 13)
    assert found.utterances["d"] == 100


@pytest.mark.parametrize(
    "text",
    [
        "காலை ஒன்பது மணிக்கு ரயில் புறப்படும் என்று அவர் சொன்னார். நாளை மழை பெய்யும் என "
        "வானிலை அறிக்கை கூறுகிறது. குழந்தைகள் தோட்டத்தில் விளையாடுகிறார்கள். புதிய புத்தகம் மேசையில் உள்ளது.",
        "მატარებელი დილის ცხრა საათზე გადის. ხვალ წვიმა იქნება, ასე თქვა ამინდის "
        "პროგნოზმა. ბავშვები ეზოში თამაშობენ და ძაღლი მათ უყურებს. ახალი წიგნი მაგიდაზე დევს.",
    ],
)
def test_a_text_of_another_script_is_no_loop_by_its_bytes(text):
    """Three bytes a letter compress by themselves: plain Tamil was called a loop."""
    assert not is_loop(text)
    assert is_loop(text[:20] * 20)
