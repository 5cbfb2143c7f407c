"""The sentences of the made corpus, and how they are split."""

from __future__ import annotations

import numpy as np
import pytest


@pytest.fixture(scope="module")
def drawn(mini):
    sizes = {"train": 5000, "dev": 100, "test": 100}
    return mini.space.MeaningSpace().splits(1, sizes)


def sentences(mini, meanings, lang):
    language = mini.language.load_language(lang)
    return [mini.realise.realise(meaning, language) for meaning in meanings]


def examples(mini):
    """Meanings written by hand, with what they are in Spanish and English."""
    m, np_, phrase = mini.meaning.Meaning, mini.meaning.NounPhrase, mini.meaning.Phrase
    sister, i = np_("sister", "my", human=True), np_("i", "none", human=True)
    we = np_("we", "none", "pl", human=True)
    teachers = np_("teacher", "def", "pl", "tall", human=True)
    car = np_("car", "indef", adjective="red")
    at_office, on_table = (
        phrase("in", np_("office", "def")),
        phrase("on", np_("table", "def")),
    )
    lady = np_("lady", "def", adjective="old", human=True)
    captain = np_("captain", "def", human=True)
    return [
        (
            m("buy", "past", sister, car, time="yesterday", fronted="time"),
            "Ayer mi hermana compró un coche rojo.",
            "Yesterday my sister bought a red car.",
        ),
        (
            m("buy", "past", sister, car, time="yesterday"),
            "Mi hermana compró ayer un coche rojo.",
            "My sister bought a red car yesterday.",
        ),
        (
            m("buy", "want", i, np_("orange", "indef", adjective="big")),
            "Quiero comprar una naranja grande.",
            "I want to buy a big orange.",
        ),
        (
            m("read", "past", lady, np_("newspaper", "def"), time="last_night"),
            "La señora vieja leyó anoche el periódico.",
            "The old lady read the newspaper last night.",
        ),
        (
            m("help", "past", we, captain, place=at_office),
            "Ayudamos al capitán en la oficina.",
            "We helped the captain in the office.",
        ),
        (
            m("help", "present", sister, teachers, frequency="often"),
            "Mi hermana a menudo ayuda a los profesores altos.",
            "My sister often helps the tall teachers.",
        ),
        (
            m("give", "past", teachers, car, phrase("to_person", captain)),
            "Los profesores altos le dieron un coche rojo al capitán.",
            "The tall teachers gave a red car to the captain.",
        ),
        (
            m("give", "must", i, np_("bread", "mass"), phrase("to_person", sister)),
            "Debo darle pan a mi hermana.",
            "I must give bread to my sister.",
        ),
        (
            m("look_for", "future", captain, np_("key", "indef", "pl", "small")),
            "El capitán buscará unas llaves pequeñas.",
            "The captain will look for some small keys.",
        ),
        (
            m("look_for", "past", i, np_("dog", "def")),
            "Busqué el perro.",
            "I looked for the dog.",
        ),
        (
            m("be_state", "present", lady, predicate="tired", frequency="always"),
            "La señora vieja siempre está cansada.",
            "The old lady is always tired.",
        ),
        (
            m("be_located", "past", np_("key", "def", "pl"), place=on_table),
            "Las llaves estaban sobre la mesa.",
            "The keys were on the table.",
        ),
        (
            m("be_quality", "present", np_("apple", "def", "pl"), predicate="new"),
            "Las manzanas son nuevas.",
            "The apples are new.",
        ),
        (
            m("walk", "past", sister, goal=phrase("to", np_("market", "def"))),
            "Mi hermana caminó al mercado.",
            "My sister walked to the market.",
        ),
        (
            m("sleep", "past", captain, place=at_office, manner="quietly"),
            "El capitán durmió en silencio en la oficina.",
            "The captain slept quietly in the office.",
        ),
        (
            m("return", "present", we, time="after_dinner", fronted="time"),
            "Después de la cena volvemos.",
            "After dinner we return.",
        ),
    ]


def test_words_agree_move_and_contract(mini):
    for meaning, spanish, english in examples(mini):
        assert sentences(mini, [meaning], "es") == [spanish]
        assert sentences(mini, [meaning], "en") == [english]


def test_normalised_text_is_as_in_cvss(mini):
    assert mini.realise.normalise("I can't, Ana: él.") == "i can't ana él"


def test_a_meaning_says_the_same_in_any_tense_order_and_article(mini):
    """Without articles (Russian) or with "compramos", these are one sentence."""
    m, noun_phrase = mini.meaning.Meaning, mini.meaning.NounPhrase
    a, the = noun_phrase("car", "indef"), noun_phrase("car", "def")
    we = noun_phrase("we", "none", "pl")
    first = m("buy", "past", we, a, time="today", fronted="time")
    assert first.content == m("buy", "present", we, the, time="today").content
    assert first.content != m("sell", "past", we, a, time="today").content


def test_every_concept_has_words_in_every_language(mini):
    data = mini.space.MeaningSpace()
    for path in sorted(mini.meaning.LEXICON_DIR.glob("??.yaml")):
        language = mini.language.load_language(path.stem)
        for kind, concepts in data.concepts().items():
            missing = concepts - set(language.entries[kind])
            assert not missing, f"{path.name}: {kind} lacks {sorted(missing)}"


@pytest.mark.parametrize("lang", ["es", "en"])
def test_250_words_and_5_to_9_of_them_a_sentence(mini, drawn, lang):
    split = [
        mini.realise.normalise(s).split() for s in sentences(mini, drawn["train"], lang)
    ]
    assert len({word for words in split for word in words}) >= 250
    lengths = np.array([len(words) for words in split])
    assert 6.5 <= lengths.mean() <= 8
    assert np.mean((lengths >= 4) & (lengths <= 10)) > 0.95


@pytest.mark.parametrize("lang", ["es", "en"])
def test_held_out_sentences_never_occur_in_training(mini, drawn, lang):
    held_out = drawn["dev"] + drawn["test"]
    assert not {m.content for m in held_out} & {m.content for m in drawn["train"]}
    seen = set(sentences(mini, drawn["train"], lang))
    assert not seen & set(sentences(mini, held_out, lang))


def test_dev_and_test_do_not_depend_on_the_size_of_training(mini):
    def compose(num_train, num_text, seed=1):
        numbers = (num_train, 5, 5, num_text, seed)
        return mini.make_corpus.compose(
            mini.make_corpus.Options("es", *numbers, target_voice="flite")
        )

    small, large = compose(10, 20)[0], compose(50, 90)[0]
    assert [p for p in large if p in small] == small
    assert compose(10, 20) == compose(10, 20)
    assert compose(10, 20)[0] != compose(10, 20, seed=2)[0]
    text = compose(10, 20)[1]
    assert [len(lines) for lines in text.values()] == [5, 5, 20, 20]


def test_held_out_text_in_training_is_an_error(mini, monkeypatch):
    options = mini.make_corpus.Options("es", 50, 5, 5, 50, 1, "flite")
    monkeypatch.setattr(mini.make_corpus, "realise_all", lambda *_: "The same.")
    with pytest.raises(ValueError, match="held-out text in train: The same"):
        mini.make_corpus.compose(options)
