"""The score knows the language: its words, its marks, its errors, its recogniser."""

import dataclasses
import json
from pathlib import Path

import pytest
import yaml

from s2st_interleave.data.languages import LANGUAGES, language
from s2st_interleave.files import read_json
from s2st_interleave.interleave.layout import Layout
from s2st_interleave.score import asr, records
from s2st_interleave.score.asr import AsrOptions
from s2st_interleave.score.bootstrap import paired
from s2st_interleave.score.choice import default_metrics
from s2st_interleave.score.evidence import Evidence
from s2st_interleave.score.measure import measure
from s2st_interleave.score.metrics import METRICS
from s2st_interleave.score.metrics.bleu import ASR_BLEU, bleu_of, sacrebleus
from s2st_interleave.score.normalize import Normalizer
from s2st_interleave.score.records import SystemScore, ToplineScore
from s2st_interleave.stages.scoring import ScoringOptions, check_languages, score_texts

MINI = Path(__file__).resolve().parents[2] / "egs" / "mini_cvss"

# Target language, three references, and hypotheses with one letter off in each.
THREE = {
    "zh-CN": (
        [
            "今天天气很好我们去公园散步",
            "他喜欢在图书馆里看书学习",
            "火车明天早上九点钟离开北京",
        ],
        [
            "今天天气很坏我们去公园散步",
            "他喜欢在图书馆里看报学习",
            "火车明天早上八点钟离开北京",
        ],
    ),
    "yue": (
        [
            "今日天氣好好我哋去公園行下",
            "佢鍾意喺圖書館度睇書學嘢",
            "火車聽朝九點鐘離開香港啦",
        ],
        [
            "今日天氣好差我哋去公園行下",
            "佢鍾意喺圖書館度睇報學嘢",
            "火車聽朝八點鐘離開香港啦",
        ],
    ),
    "ja": (
        ["今日は天気がいいので公園を散歩します", "彼は図書館で本を読むのが好きです"],
        ["今日は天気がいいので公園を散策します", "彼は図書館で本を読むのが嫌いです"],
    ),
    "ko": (
        [
            "오늘은 날씨가 좋아서 공원을 산책합니다",
            "기차는 내일 아침에 서울을 떠납니다",
        ],
        [
            "오늘은 날씨가 나빠서 공원을 산책합니다",
            "기차는 내일 저녁에 서울을 떠납니다",
        ],
    ),
    "th": (
        ["วันนี้อากาศดีเราไปเดินเล่น", "เขาชอบอ่านหนังสือในห้องสมุด"],
        ["วันนี้อากาศดีเราไปเดินเลน", "เขาชอบอ่านหนังสือในห้องสมุค"],
    ),
    "km": (["ថ្ងៃនេះអាកាសធាតុល្អណាស់"], ["ថ្ងៃនេះអាកាសធាតុល្អណាស"]),
    "my": (["ဒီနေ့ရာသီဥတုကောင်းတယ်"], ["ဒီနေ့ရာသီဥတုကောင်းတယ"]),
    "bo": (["དེ་རིང་གནམ་གཤིས་ཡག་པོ་འདུག"], ["དེ་རིང་གནམ་གཤིས་ཡག་པོ་འདུ"]),
    "hi": (["आज मौसम बहुत अच्छा है"], ["आज मौसम बहुत अच्छी है"]),
}


SCORING = ScoringOptions(data_dir=Path("data"), num_resamples=20)


@pytest.mark.parametrize("code", THREE)
def test_a_reference_scores_100_and_one_letter_off_most_of_it(code):
    """To the letter: 13a took a Chinese sentence for one word, and gave 0."""
    references, wrong = (dict(enumerate(texts)) for texts in THREE[code])
    references = {f"u{k}": v for k, v in references.items()}
    wrong = {f"u{k}": v for k, v in wrong.items()}
    same = score_texts(references, references, code, SCORING)
    assert same.value == pytest.approx(100)
    assert same.ci95 == (pytest.approx((100, 100)) if len(references) > 1 else None)
    assert f"tok:{language(code).tokenizer}" in same.signature
    off = score_texts(references, wrong, code, SCORING)
    assert 30 < off.value < 98
    counts = [
        ASR_BLEU.count(Evidence(references, texts, code))
        for texts in (references, wrong)
    ]
    for row in counts[0]:
        assert ASR_BLEU.utterance_score(row) == pytest.approx(100)
    won = paired(*counts, bleu_of, num_resamples=20, seed=0)
    assert won.delta == pytest.approx(100 - off.value)


def test_one_of_twelve_chinese_letters_off_is_a_bleu_of_78():
    references, wrong = (
        {f"u{i}": text for i, text in enumerate(texts)} for texts in THREE["zh-CN"]
    )
    # 11/12 of the letters, 33/36 of one to 20/27 of four in a row.
    assert 74 < score_texts(references, wrong, "zh", SCORING).value < 80


def mini_texts() -> dict[str, set[str]]:
    """What the lexicon says, and what was heard: all languages of the mini corpus."""
    texts: dict[str, set[str]] = {}

    def words(value: object) -> list[str]:
        if isinstance(value, dict):
            return [w for pair in value.items() for one in pair for w in words(one)]
        return (
            [w for one in value for w in words(one)]
            if isinstance(value, list)
            else [str(value)]
        )

    for path in sorted((MINI / "local" / "lexicon").glob("??.yaml")):
        texts[path.stem] = set(words(yaml.safe_load(path.read_text("utf-8"))))
    for path in sorted((MINI / "paper" / "cells").glob("*.s1.json"))[::6]:
        for scores in read_json(path)["scores"].values():
            texts["en"] |= set(scores["hyp"].values())
    return texts


def test_texts_of_the_mini_corpus_normalise_as_whispers_own_rules_do():
    from whisper.normalizers import BasicTextNormalizer, EnglishTextNormalizer

    basic, english = BasicTextNormalizer(), EnglishTextNormalizer()
    for code, texts in mini_texts().items():
        theirs = english if code == "en" else basic
        ours = Normalizer(code)
        assert len(texts) > 200
        for text in texts:
            for given in (text, text.upper(), f"«{text}»... ({text}) [x] {text}!"):
                words = theirs(given).split()
                kept = " ".join(w for w in words if any(map(str.isalnum, w)))
                assert ours.normalize(given) == kept, (code, given)


def test_what_belongs_to_no_letter_is_no_part_of_a_word():
    for text in ("love ❤️ me", "\u0301love me", "love\u200e me\ufeff", "lo\u00adve me"):
        assert Normalizer("de").normalize(text) == "love me"


def test_turkish_knows_two_kinds_of_i():
    for code in ("tr", "az"):
        normalize = Normalizer(code).normalize
        assert normalize("Isparta, İstanbul!") == "ısparta istanbul"
        assert Normalizer(code).name != Normalizer("de").name
    assert Normalizer("de").normalize("Isar") == "isar"


def test_english_of_any_country_has_the_english_rules():
    assert Normalizer("en-GB").normalize("It's nine") == Normalizer("en").normalize(
        "It is 9"
    )
    assert Normalizer("en-US").name == Normalizer("en").name


def rate_of(references: dict[str, str], hypotheses: dict[str, str], code: str):
    """{name: value} of what a transcript of the language is scored by first."""
    layout = Layout.parse("src_speech -> src_text")
    name = default_metrics(layout, {"src": code})[0]
    evidence = Evidence(references, hypotheses, code)
    found = measure(METRICS[name], evidence, num_resamples=1, seed=0)
    return {METRICS[name].title: found.score.value}


@pytest.mark.parametrize("code", ["zh-CN", "ja", "th", "lo", "km", "my", "yue", "bo"])
def test_transcripts_without_spaces_have_a_character_error_rate(code):
    text = THREE.get(code, THREE["th"])[0][0]
    wrong = "x" + text[1:]
    rates = rate_of({"u": text}, {"u": f"{wrong[:5]} {wrong[5:]}"}, code)
    (rate,) = rates.values()
    assert rates.keys() == {"CER"} and 0 < rate <= 20


@pytest.mark.parametrize("code", ["es", "ko", "ar", "sr-Latn", "vi", "ja-Latn"])
def test_transcripts_with_spaces_have_a_word_error_rate(code):
    assert rate_of({"u": "a b c d"}, {"u": "a b c x"}, code) == {"WER": 25}


def test_stored_scores_of_before_can_be_read():
    cell = next((MINI / "paper" / "cells").glob("*.json"))
    stored = read_json(cell)["scores"]["last"]
    for extra in ("hyp", "utterance_mos"):
        del stored[extra]
    assert "src_cer" not in stored
    score = records.from_json(SystemScore, stored, str(cell))
    assert score.src_cer is None and score.src_wer == stored["src_wer"]
    again = json.loads(json.dumps(dataclasses.asdict(score)))
    assert records.from_json(SystemScore, again, "score.json") == score
    for path in (MINI / "paper" / "toplines").glob("*.json"):
        records.from_json(ToplineScore, read_json(path)["score"], str(path))


def test_whisper_gets_the_code_it_knows():
    codes = {"zh-CN": "zh", "zh-TW": "zh", "sv-SE": "sv", "yue": "yue", "jv": "jw"}
    codes |= {"nb": "no", "fil": "tl", "iw": "he", "es-419": "es", "cmn": "zh"}
    for code, whisper in codes.items():
        assert AsrOptions(language=code).whisper_code == whisper


def test_all_of_whispers_languages_are_known():
    from faster_whisper.tokenizer import _LANGUAGE_CODES

    ours = {one.whisper for one in LANGUAGES.values()} - {None}
    assert ours == set(_LANGUAGE_CODES)


@pytest.mark.parametrize("code", ["ga", "gsw", "eo"])
def test_a_target_that_whisper_does_not_know_is_refused_before_its_model(
    code, monkeypatch
):
    monkeypatch.setattr(asr, "_backend", None)
    with pytest.raises(ValueError, match=f"Whisper does not know .*{code}") as refused:
        SCORING.asr_options(code)
    assert "\n" not in str(refused.value)
    check_languages({"src": code, "tgt": code}, {"tgt"})


def test_a_source_of_which_nothing_is_known_is_refused_before_anything_is_heard():
    with pytest.raises(ValueError, match=r"add a line .*language_table\.py"):
        check_languages({"src": "tlh", "tgt": "en"}, {"tgt"})


def test_a_tokeniser_that_is_not_installed_is_named(monkeypatch):
    def absent(**_):
        raise RuntimeError("Japanese tokenization requires extra dependencies")

    monkeypatch.setattr("sacrebleu.metrics.BLEU", absent)
    with pytest.raises(ValueError, match="pip install mecab-python3 ipadic"):
        check_languages({"src": "es", "tgt": "ja"}, {"tgt"})
    with pytest.raises(RuntimeError):  # of another kind: a fault of ours
        sacrebleus("13a")
    monkeypatch.undo()
    check_languages({"src": "ja", "tgt": "es"}, {"tgt"})
