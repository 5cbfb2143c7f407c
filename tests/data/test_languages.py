"""Codes of languages: checked where they enter, held against what the corpus says."""

import copy
import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest
import regex
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from s2st_interleave import config
from s2st_interleave.__main__ import MODULES
from s2st_interleave.align.segmentation import surface_words
from s2st_interleave.config import REQUIRED, option
from s2st_interleave.data.corpus import SOURCES
from s2st_interleave.data.languages import LANGUAGES, LanguageCode, language, scripts
from s2st_interleave.data.text import (
    characters,
    clean,
    gap,
    has_words,
    join,
    spoken_form,
    tokens,
)
from s2st_interleave.record import digest

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
    for token in tokens(text):
        first = token.strip()[:1]
        at = text.find(token.strip())
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
    forms = [spoken_form(word) for word in words]
    assert " ".join(forms) == spoken_form(text)


def test_the_table_has_cvss_and_english_and_a_known_tokeniser_for_each():
    from sacrebleu.metrics.bleu import _TOKENIZERS

    for code in (*SOURCES, "en"):
        assert language(code).whisper
    for row in LANGUAGES.values():
        assert row.tokenizer in _TOKENIZERS and LanguageCode(row.code)
        assert row.unit == "word" or row.tokenizer != "13a"
        assert row.rules in ("english", "basic", "dotless")
        assert regex.compile("".join(rf"\p{{Script={s}}}" for s in scripts(row.code)))


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
    parsed = LanguageCode(code)
    assert parsed == code and isinstance(parsed, str) and language(code)
    assert copy.deepcopy(parsed) == parsed
    plain = config.to_dict(SimpleOptions(language=parsed, languages=(parsed, parsed)))
    assert type(plain["language"]) is str and type(plain["languages"][0]) is str
    text = yaml.safe_dump(plain)
    assert yaml.safe_load(text) == json.loads(json.dumps(plain))
    assert digest(plain) == digest({"language": code, "languages": [code, code]})


@pytest.mark.parametrize("code", BAD)
def test_what_is_no_code_is_refused_with_the_code_that_is_meant(code):
    with pytest.raises(ValueError, match="is no language code") as refused:
        LanguageCode(code)
    message = str(refused.value)
    assert "\n" not in message
    assert message.endswith(f"did you mean '{BAD[code]}'?") == bool(BAD[code])


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
                allowed = (LanguageCode, LanguageCode | None, tuple[LanguageCode, ...])
                assert hint in allowed, (name, field)


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
