"""The small meaning space of --quick true, in every language of the mini recipes."""

from pathlib import Path

import pytest

EGS = Path(__file__).resolve().parents[2] / "egs"
QUICK = EGS / "mini_cvss" / "conf" / "quick" / "meanings.yaml"
LANGUAGES = ("fr", "de", "es", "ca", "it", "ru", "pt")


@pytest.mark.parametrize("src", LANGUAGES)
def test_its_sentences_have_few_words_and_none_of_test_in_training(mini, src):
    sizes = {"num_train": 400, "num_dev": 16, "num_test": 40, "num_text": 1200}
    options = mini.make_corpus.Options(
        src=src, seed=1, target_voice="flite", meanings=QUICK, **sizes
    )
    pairs, text = mini.make_corpus.compose(options)  # fails where they overlap
    assert len(pairs) == 456 and len(text["train.en"]) == 1200
    words = {
        word for pair in pairs for word in mini.realise.normalise(pair.tgt_text).split()
    }
    assert 35 <= len(words) <= 60


def test_its_concepts_are_a_part_of_the_full_space(mini):
    full = mini.space.MeaningSpace().concepts()
    for kind, concepts in mini.space.MeaningSpace(QUICK).concepts().items():
        assert concepts <= full[kind]


def test_a_space_with_too_few_meanings_is_refused(mini, tmp_path):
    path = tmp_path / "tiny.yaml"
    text = QUICK.read_text()
    path.write_text(
        text[: text.index("\nverbs:")] + "\nverbs:\n  call: {objects: kin}\n"
    )
    with pytest.raises(mini.make_corpus.UserError, match="has too few meanings"):
        mini.space.MeaningSpace(path).splits(1, {"train": 5000, "dev": 10, "test": 10})


def test_another_space_is_another_corpus_and_the_usual_one_stays_as_it_was(mini):
    same = dict(num_train=3, num_dev=2, num_test=2, num_text=8, seed=1)
    made = mini.make_corpus
    usual, quick = (
        made.fingerprint(made.Options(src="es", target_voice="flite", **same, **more))
        for more in ({}, {"meanings": QUICK})
    )
    assert usual == "9a42a40d1134c0c9" != quick  # recorded before there was a choice
