"""What a corpus says of its languages is held against the codes that its user gives."""

from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import soundfile

from s2st_interleave.data import declared, kaldi, validate
from s2st_interleave.data.corpus import Speech, Utterance
from s2st_interleave.interop import import_data
from s2st_interleave.stages import data, tsv_corpus


def pair(
    number: int, text: str, *, name: str = "", src_lang: str = "", tgt_lang: str = ""
) -> Utterance:
    audio = Path("clips") / (name or f"{number}.wav")
    sides = {
        "src": Speech(audio, text, language=src_lang),
        "tgt": Speech(audio, "hello", language=tgt_lang),
    }
    return Utterance(f"u{number}", "s", sides, f"my.tsv:{number}")


def check(utterances: list[Utterance], src: str, tgt: str = "en") -> list[str]:
    return declared.check_sides(utterances, {"src": src, "tgt": tgt})


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
    lines = check(
        [pair(1, "hola", src_lang="spa"), pair(2, "ya", src_lang="ch 1")], "es"
    )
    assert lines[0].startswith(
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


def test_a_script_of_no_language_of_the_table_is_described():
    """The message asked for the code that was refused."""
    message = r"like 'ꦲ' \(JAVANESE LETTER HA\), not .*: .* as in --src_lang jv-Java$"
    for code in ("jv", "jv-Arab"):
        with pytest.raises(ValueError, match=message):
            check([pair(1, "ꦲꦲꦤ"), pair(2, "OK")], code)
    check([pair(1, "ꦲꦲꦤ")], "jv-Java")


def test_utt2lang_names_its_utterances_otherwise_and_itself(kaldi_dirs):
    """The target's were ignored, as its ids ended in .wav, and the source's was named."""
    target = kaldi_dirs.path / "target"
    for name in ("text", "wav.scp"):
        lines = (target / name).read_text()
        (target / name).write_text(lines.replace("u1 ", "u1.wav "))
    (target / "utt2lang").write_text("u1.wav de\n")
    with pytest.raises(ValueError, match=r"target/utt2lang: u1 is of 'de', --tgt_lang"):
        import_data.run(kaldi_dirs.options)


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
    printed = capsys.readouterr().out
    assert "data: es: 1 of 1 lines name it; 100 % of the letters are Latn" in printed
    assert "data: en: 1 of 1 lines name it" in printed
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
