"""Codes of languages: checked where they enter, held against what the corpus says."""

import copy
import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import regex
import soundfile
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from s2st_interleave import config
from s2st_interleave.__main__ import MODULES
from s2st_interleave.align.segmentation import surface_words
from s2st_interleave.config import REQUIRED, option
from s2st_interleave.data import declared, kaldi, validate
from s2st_interleave.data.corpus import SOURCES, Pair
from s2st_interleave.data.languages import LANGUAGES, LanguageCode, language, scripts
from s2st_interleave.data.text import characters, clean, gap, has_words, join, tokens
from s2st_interleave.encoder.speech_encoder import spoken_form
from s2st_interleave.interop import import_data
from s2st_interleave.record import digest
from s2st_interleave.stages import data, tsv_corpus

ROOT = Path(__file__).resolve().parents[2]

# Text of every kind of script, with what may stand beside it.
SCRIPTS = {
    "Thai": "เด็กน้ำใจ่ฯๆ๑",
    "Lao": "ເດັກນ້ຳໃຈ່ໆ໑",
    "Khmer": "ខ្មែរស្អាត់។៤",
    "Burmese": "မြန်မာ့ကို၊။၃း",
    "Tibetan": "བོད་སྐད།ཡིག༢",
    "Javanese": "ꦲꦏ꧀ꦱꦫ",
    "Chinese": "我们今天。、（葛\U000e0100",
    "Japanese": "カー゛がｱﾞら々ゝ",
    "Korean": "한국어가",
    "Devanagari": "हिन्दीक्षँ।\u200d",
    "Tamil": "தமிழ்க்ஷௌ",
    "Arabic": "كَتَبَ؟\u200cلا",
    "Hebrew": "סֵפֶר־״",
    "Latin": "aé'x1-ẹ́o\u0323\u0301",
    "Cyrillic": "за́мокй",
    "others": " .,«\u0301\u0e31🏻👩\u200d🚀",
}
MIXED = st.text("".join(SCRIPTS.values()), max_size=16)
ONE = st.sampled_from(list(SCRIPTS.values())).flatmap(
    lambda letters: st.text(letters + " 1a.", max_size=16)
)


@settings(max_examples=500)
@given(st.one_of(MIXED, ONE))
def test_tokens_joined_are_the_text(text):
    text = clean(text)
    assert join(tokens(text)) == text
    if has_words(text) and spoken_form(text):
        assert join(surface_words(text)) == text
    for left, right in zip(tokens(text), tokens(text)[1:], strict=False):
        assert gap(left, right) in ("", " ")


@given(st.one_of(MIXED, ONE))
def test_no_token_of_an_unspaced_script_starts_with_a_mark(text):
    """A mark is written on the letter before it: alone it is no word of any alignment."""
    text = clean(text)
    for one in tokens(text):
        first = one.strip()[:1]
        at = text.find(one.strip())
        alone = at == 0 or not text[at - 1].isalpha()
        assert not regex.match(r"\p{M}", first) or alone or not first.isalpha()


@given(st.one_of(MIXED, ONE))
def test_characters_are_the_text_without_its_spaces(text):
    assert "".join(characters(text)) == "".join(text.split())


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("เด็ก 2 คน", ["เด็", "ก", " 2", " ค", "น"]),
        ("ນ້ຳໃຈ", ["ນ້ຳ", "ໃຈ"]),
        ("ខ្មែរ", ["ខ្មែ", "រ"]),
        ("မြန်မာ။", ["မြ", "န်", "မာ။"]),
        ("བོད་ཡིག", ["བོ", "ད་", "ཡི", "ག"]),
        ("葛\U000e0100が", ["葛\U000e0100", "が"]),
    ],
)
def test_each_letter_of_an_unspaced_script_is_a_word_with_its_marks(text, words):
    assert surface_words(text) == words
    heard = [spoken_form(word) for word in words]
    assert " ".join(heard) == spoken_form(text)


def test_the_table_has_cvss_and_english_and_a_known_tokeniser_for_each():
    from sacrebleu.metrics.bleu import _TOKENIZERS

    for code in (*SOURCES, "en"):
        assert language(code).whisper
    for one in LANGUAGES.values():
        assert one.tokenizer in _TOKENIZERS and LanguageCode(one.code)
        assert one.unit == "word" or one.tokenizer != "13a"
        assert one.rules in ("english", "basic", "dotless")
        assert regex.compile("".join(rf"\p{{Script={s}}}" for s in scripts(one.code)))


@dataclass(frozen=True, kw_only=True)
class SimpleOptions:
    language: LanguageCode = option(REQUIRED, "one")
    languages: tuple[LanguageCode, ...] = option((), "several")


GOOD = "de zh-CN sv-SE pt-BR yue es-419 sr-Latn zh-Hant-TW no tl nb ga-IE gsw".split()
BAD = {
    "DE": "de",
    "German": "de",
    "deu": "de",
    "de_DE": "de-DE",
    "zh-cn": "zh-CN",
    "EN": "en",
    "english": "en",
    "Spanisch": "es",
    "jp": "ja",
    "en-UK": "en-GB",
    " es": "es",
    "es en": "",
    "../../oops": "",
    "/etc/passwd": "",
    "es/../de": "",
    "": "",
    ".": "",
    "xx": "",
    "und": "",
    "mul": "",
    "qaa": "",
    "x-mine": "",
    "es\nen": "",
}


@pytest.mark.parametrize("code", GOOD)
def test_a_code_stays_as_it_is_written_and_is_plain_text_in_every_file(code):
    found = LanguageCode(code)
    assert found == code and isinstance(found, str) and language(code)
    assert copy.deepcopy(found) == found
    made = config.to_dict(SimpleOptions(language=found, languages=(found, found)))
    assert type(made["language"]) is str and type(made["languages"][0]) is str
    text = yaml.safe_dump(made)
    assert yaml.safe_load(text) == json.loads(json.dumps(made))
    assert digest(made) == digest({"language": code, "languages": [code, code]})


@pytest.mark.parametrize("code", BAD)
def test_what_is_no_code_is_refused_with_the_code_that_is_meant(code):
    with pytest.raises(ValueError, match="is no language code") as refused:
        LanguageCode(code)
    said = str(refused.value)
    assert "\n" not in said
    assert said.endswith(f"did you mean '{BAD[code]}'?") == bool(BAD[code])


@pytest.mark.parametrize("option_name", ["language", "languages"])
def test_an_option_that_is_a_language_is_checked_where_it_enters(
    option_name, tmp_path, capsys
):
    good = {"language": "es", "languages": "es en"}
    config.parse(SimpleOptions, [f"--{k}={v}" for k, v in good.items()], prog="x")
    path = tmp_path / "conf.yaml"
    path.write_text(
        f"{option_name}: [DE]" if option_name[-1] == "s" else "language: DE"
    )
    for argv in ([f"--{option_name}", "DE"], ["--config", str(path)]):
        with pytest.raises(SystemExit):
            config.parse(SimpleOptions, argv, prog="x")
        error = " ".join(capsys.readouterr().err.split())
        assert f"option '{option_name}': 'DE' is no language code" in error
        assert error.count("'DE'") == 1 and error.endswith("did you mean 'de'?")


def test_every_command_checks_every_option_that_is_a_language():
    import importlib
    import typing

    names = {"src_lang", "tgt_lang", "language", "languages"}
    for name, module in MODULES.items():
        options = getattr(
            importlib.import_module(f"s2st_interleave.{module}"), "Options", None
        )
        for field, hint in typing.get_type_hints(options).items() if options else ():
            if field in names:
                assert hint in (LanguageCode, tuple[LanguageCode, ...]), (name, field)


def command(*words: str, cwd: Path) -> subprocess.CompletedProcess:
    return subprocess.run(
        [sys.executable, "-m", "s2st_interleave", *words],
        cwd=cwd,
        capture_output=True,
        text=True,
        env={"PYTHONPATH": str(ROOT), "PATH": "/usr/bin:/bin"},
    )


@pytest.mark.parametrize("code", ["../../oops", "es en", "DE", "German"])
def test_a_bad_code_writes_nothing(code, tmp_path):
    inside = tmp_path / "a" / "b"
    inside.mkdir(parents=True)
    (inside / "my.tsv").write_text("id\tsrc_audio\tsrc_text\ttgt_audio\ttgt_text\n")
    where = "--data_dir data/train --audio_dir dump/audio/train --split train".split()
    done = command("own", "--tsv", "my.tsv", *where, "--src_lang", code, cwd=inside)
    assert done.returncode == 2 and "is no language code" in done.stderr
    done = command("validate", "--data_dir", "data", "--languages", code, cwd=inside)
    assert done.returncode and "Traceback" not in done.stderr
    run = ROOT / "egs" / "cvss" / "x_en" / "run.sh"
    files = sorted(path for path in tmp_path.rglob("*") if path.is_file())
    assert files == [inside / "my.tsv"] and run.is_file()


def pair(number: int, text: str, **more: str) -> Pair:
    name = more.pop("name", f"{number}.wav")
    where = f"my.tsv:{number}"
    audio = Path("clips") / name
    return Pair(f"u{number}", "s", audio, text, audio, "hello", where, **more)


def check(pairs: list[Pair], src: str, tgt: str = "en") -> list[str]:
    return declared.check_pairs(pairs, src, tgt)


@pytest.mark.parametrize(
    ("code", "text", "meant"),
    [
        ("es", "Привет, как дела?", "es-Cyrl"),
        ("sr", "Dobar dan", "sr-Latn"),
        ("ru", "Dobryj den", "ru-Latn"),
        ("sr-Latn", "Добар дан", "sr"),
        ("ja", "konnichiwa", "ja-Latn"),
        ("es-419", "안녕하세요", "es-Hang-419"),
        ("hi", "مرحبا", "hi-Arab"),
    ],
)
def test_another_script_than_the_languages_is_refused_until_it_is_said(
    code, text, meant
):
    pairs = [pair(1, text), pair(2, "OK")]
    with pytest.raises(ValueError, match=f"--src_lang {meant}$"):
        check(pairs, code)
    assert check(pairs[:1], meant)[0].startswith(
        f"{meant}: nothing in the corpus names"
    )


@pytest.mark.parametrize(
    ("code", "text"),
    [
        ("ja", "今日はGPUカードを"),
        ("ko", "한국어 韓國"),
        ("zh-TW", "今天天氣"),
        ("sr", "Добар дан"),
        ("ar", "كَتَبَ"),
        ("ckb", "ڕۆژ باش"),
        ("uz", "Salom"),
    ],
)
def test_the_usual_script_is_said_to_be_all_that_was_checked(code, text):
    (line, target) = check([pair(1, text)], code)
    assert line.startswith(f"{code}: nothing in the corpus names it, only ")
    assert target.endswith(
        "only its script could be checked; 100 % of the letters are Latn"
    )


def test_clips_are_named_after_their_language():
    clips = [pair(i, "hola", name=f"common_voice_es_{i}.mp3") for i in range(3)]
    assert check(clips, "es")[0].startswith("es: 3 of 3 clips are named so")
    assert check(clips, "es-419")
    with pytest.raises(ValueError, match=r"of 'es', first common_voice_es_0\.mp3;"):
        check(clips, "de")
    told = [pair(1, "hallo", name="common_voice_es_1.mp3", src_lang="de")]
    assert check(told, "de")[0].startswith("de: 1 of 1 lines name it;")
    english = [pair(1, "hello", name="common_voice_es_1.mp3.wav")]
    assert check(english, "en", "es")[0].startswith("en: nothing in the corpus names")
    swedish = [pair(1, "hej", name="common_voice_sv-SE_1.mp3")]
    assert check(swedish, "sv") and check(swedish, "sv-SE")
    taiwan = [pair(1, "你好", name="common_voice_zh-TW_1.mp3")]
    with pytest.raises(ValueError, match="zh-TW"):
        check(taiwan, "zh-CN")


def test_a_column_of_ones_own_names_the_language_of_every_line():
    lines = [pair(1, "hola", src_lang="es"), pair(2, "hallo", src_lang="German")]
    with pytest.raises(
        ValueError, match=r"my\.tsv:2 is of 'German', --src_lang is 'es'"
    ):
        check(lines, "es")
    with pytest.raises(ValueError, match=r"my\.tsv:1 is of 'fr', --tgt_lang is 'en'"):
        check([pair(1, "hola", tgt_lang="fr")], "es")
    said = check(
        [pair(1, "hola", src_lang="spa"), pair(2, "ya", src_lang="ch 1")], "es"
    )
    assert said[0].startswith(
        "es: 'ch 1' of 1 lines is no language and 1 of 2 lines name it"
    )


def test_a_target_that_whisper_does_not_know_is_said_in_stage_1():
    with pytest.raises(ValueError, match="add a line"):
        check([pair(1, "nuqneH")], "tlh")
    assert "stage 9 cannot" in check([pair(1, "hola")], "es", "ga")[-1]


@pytest.mark.parametrize(
    ("part", "name"),
    [
        ("covost", "covost_v2.de_en.tsv"),
        ("covost", "covost_v2.zh-CN_en.tsv.tar.gz"),
        ("covost", "covost_v2.es_de.tsv"),
        ("cvss", "cvss_c_de_en_v1.0"),
        ("cvss", "cvss_t_fr_en_v1.0.tar.gz"),
        ("common_voice", "de"),
        ("common_voice", "sv-SE.tar.gz"),
        ("common_voice", "cv-corpus-4-2019-12-10-it.tar.gz"),
    ],
)
def test_the_corpus_names_its_languages(part, name, tmp_path):
    places = {
        "common_voice": tmp_path / "es",
        "covost": tmp_path / "covost_v2.es_en.tsv",
        "cvss": tmp_path / "cvss_c_es_en_v1.0",
    }
    declared.check_names(places.values(), "es", "en")
    options = data.Options(
        **places | {part: tmp_path / name},
        src_lang="es",
        data_dir=tmp_path / "data",
        audio_dir=tmp_path / "audio",
        split="train",
    )
    with pytest.raises(ValueError, match=r"is of '.*', --(src|tgt)_lang is '(es|en)'"):
        data.run(options)


def test_names_that_say_nothing_are_no_obstacle():
    declared.check_names(
        [Path("cv"), Path("my.covost.tsv"), Path("english")], "es", "en"
    )


@pytest.fixture
def kaldi_dirs(tmp_path) -> SimpleNamespace:
    rng = np.random.default_rng(0)
    for name, text in (("source", "hola"), ("target", "hello")):
        folder = tmp_path / name
        folder.mkdir()
        soundfile.write(folder / "u1.wav", 0.1 * rng.standard_normal(16_000), 16_000)
        (folder / "wav.scp").write_text(f"u1 {folder / 'u1.wav'}\n")
        (folder / "text").write_text(f"u1 {text}\n")
    options = import_data.Options(
        src_dir=tmp_path / "source",
        tgt_dir=tmp_path / "target",
        src_lang="es",
        split="train",
        data_dir=tmp_path / "data",
        audio_dir=tmp_path / "audio",
    )
    return SimpleNamespace(path=tmp_path, options=options)


@pytest.mark.parametrize("label", ["<de>", "de", "deu", "[German]"])
def test_utt2lang_of_kaldi_and_espnet_is_read(kaldi_dirs, label):
    (kaldi_dirs.path / "source" / "utt2lang").write_text(f"u1 {label}\n")
    with pytest.raises(ValueError, match="--src_lang is 'es'"):
        import_data.run(kaldi_dirs.options)
    assert not (kaldi_dirs.path / "data").exists()


def test_utt2lang_that_agrees_is_said(kaldi_dirs, capsys):
    (kaldi_dirs.path / "source" / "utt2lang").write_text("u1 <es>\n")
    (kaldi_dirs.path / "target" / "utt2lang").write_text("u1 eng\n")
    import_data.run(kaldi_dirs.options)
    said = capsys.readouterr().out
    assert "data: es: 1 of 1 lines name it; 100 % of the letters are Latn" in said
    assert "data: en: 1 of 1 lines name it" in said
    validate.run(
        validate.Options(data_dir=kaldi_dirs.path / "data", languages=("es", "en"))
    )


def test_own_tsv_may_name_languages(tmp_path):
    rng = np.random.default_rng(0)
    soundfile.write(tmp_path / "a.wav", 0.1 * rng.standard_normal(16_000), 16_000)
    rows = ["id\tsrc_audio\tsrc_text\ttgt_audio\ttgt_text\tsplit\tsrc_lang"]
    rows += [
        f"{s}\ta.wav\thallo {s}\ta.wav\thello\t{s}\tde"
        for s in ("train", "dev", "test")
    ]
    (tmp_path / "my.tsv").write_text("\n".join(rows))
    given = {
        "tsv": tmp_path / "my.tsv",
        "audio_dir": tmp_path / "audio",
        "split": "train",
    }
    with pytest.raises(ValueError, match=r"my\.tsv:2 is of 'de', --src_lang is 'es'"):
        tsv_corpus.run(
            tsv_corpus.Options(data_dir=tmp_path / "es", src_lang="es", **given)
        )
    tsv_corpus.run(tsv_corpus.Options(data_dir=tmp_path / "de", src_lang="de", **given))
    assert kaldi.DataDir(tmp_path / "de").texts("de") == {"train": "hallo train"}


def test_two_spellings_of_one_language_are_one():
    for one, other in (("de", "de"), ("iw", "he"), ("es", "es-Latn"), ("de", "DE")):
        with pytest.raises(ValueError, match=r"both|no language code"):
            data.make(SimpleNamespace(src_lang=one, tgt_lang=other), [], {})
