"""Words of MFA, CTM and Whisper on the transcript's words, and on to the dump."""

import json
import os
import re
import time
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest

from s2st_interleave.align.words import read_words
from s2st_interleave.files import read_json
from s2st_interleave.interop import import_alignments, timed
from s2st_interleave.interop.matching import letters, match
from s2st_interleave.interop.timed import TimedWord


def write_whisper(folder: Path, seconds: dict[str, float], texts) -> Path:
    folder.mkdir()
    for utterance, text in texts.items():
        width = seconds[utterance] / len(text.split())
        words = [
            {"word": f" {w}", "start": i * width + 0.1, "end": (i + 1) * width}
            for i, w in enumerate(text.title().split())
        ]
        content = {"text": text, "segments": [{"id": 0, "words": words}]}
        (folder / f"{utterance}.json").write_text(json.dumps(content))
    return folder


def test_words_keep_the_transcripts_spelling_and_get_the_aligners_times(
    aligned, data_dir
):
    import_alignments.run(aligned)
    spanish = read_words(aligned.out_dir / "words.src.jsonl")
    assert [w.text for w in spanish["u1"]] == ["L'Home,", "diu:", "«casa»."]
    # "l'" and "home" are one word, from the start of one to the end of the other.
    assert (spanish["u1"][0].start_sec, spanish["u1"][0].end_sec) == (0.1, 0.5)
    assert [w.text for w in spanish["u3"]][1] == "gato -"
    english = read_words(aligned.out_dir / "words.tgt.jsonl")
    known = english["u3"][4]
    assert known.text == "well-known" and known.score == pytest.approx(-0.693)
    for words in (spanish, english):
        assert words.keys() == {"u1", "u2", "u3", "u4"}
        for word_list in words.values():
            assert all(a.end_sec <= b.start_sec for a, b in pairwise(word_list))


def test_it_is_the_artifact_of_stage_3_and_changes_with_its_files(aligned, capsys):
    import_alignments.run(aligned)
    done = read_json(aligned.out_dir / "stage.json")
    assert done["stage"] == "align"
    assert done["inputs"].keys() == {"data", "src.alignments", "tgt.alignments"}
    import_alignments.run(aligned)
    assert "up to date, skipped" in capsys.readouterr().out
    text = aligned.tgt_alignments.read_text()
    aligned.tgt_alignments.write_text(text.replace("0.5\n", "0.6\n", 1))
    os.utime(aligned.tgt_alignments, (time.time() + 5,) * 2)
    named = rf"tgt.alignments has changed\n *{re.escape(str(aligned.tgt_alignments))} "
    with pytest.raises(ValueError, match=named):
        import_alignments.run(aligned)


def test_whisper_gives_the_same_words(aligned, data_dir, tmp_path):
    import_alignments.run(aligned)
    folder = write_whisper(
        tmp_path / "whisper", data_dir.durations("en"), data_dir.texts("en")
    )
    other = replace(
        aligned, tgt_format="whisper", tgt_alignments=folder, out_dir=tmp_path / "two"
    )
    import_alignments.run(other)
    ctm, whisper = (
        read_words(options.out_dir / "words.tgt.jsonl") for options in (aligned, other)
    )
    for utterance in ("u1", "u2", "u4"):  # u3 has a word that CTM cuts in two
        for a, b in zip(ctm[utterance], whisper[utterance], strict=True):
            assert a.text == b.text
            assert (a.start_sec, a.end_sec) == pytest.approx((b.start_sec, b.end_sec))


def test_a_word_without_times_is_a_misfit_of_its_utterance(aligned, data_dir, tmp_path):
    """WhisperX leaves out the times of numbers; the whole import stopped there."""
    folder = write_whisper(
        tmp_path / "whisper", data_dir.durations("en"), data_dir.texts("en")
    )
    content = json.loads((folder / "u2.json").read_text())
    del content["segments"][0]["words"][1]["start"]
    (folder / "u2.json").write_text(json.dumps(content))
    asked = replace(aligned, tgt_format="whisper", tgt_alignments=folder)
    with pytest.raises(ValueError, match=r"u2: tgt .*the aligner gave no time to"):
        import_alignments.run(replace(asked, out_dir=tmp_path / "no"))
    import_alignments.run(replace(asked, misfit="drop", max_misfit_rate=0.5))
    assert read_words(aligned.out_dir / "words.tgt.jsonl").keys() == {"u1", "u3", "u4"}


def test_misfits_are_named_dropped_or_made_equal(
    aligned, data_dir, tmp_path, transcripts, save_textgrids
):
    transcripts = transcripts | {"u2": ["la", "cosa", "roja"]}
    del transcripts["u4"]
    folder = save_textgrids(tmp_path / "other", data_dir.durations("es"), transcripts)
    wrong = replace(aligned, src_alignments=folder)
    with pytest.raises(ValueError) as error:
        import_alignments.run(wrong)
    assert "2 of 4 utterances do not match" in str(error.value)
    assert "u2: src words differ: aligned is 'la cosa roja'" in str(error.value)
    assert "u4: src has no alignment" in str(error.value)
    assert not (wrong.out_dir / "stage.json").exists()

    train = replace(
        wrong, misfit="drop", max_misfit_rate=0.5, out_dir=tmp_path / "train"
    )
    import_alignments.run(train)
    for side in ("src", "tgt"):
        words = read_words(train.out_dir / f"words.{side}.jsonl")
        assert words.keys() == {"u1", "u3"}
    dropped = (train.out_dir / "dropped.tsv").read_text()
    assert "u2\tsrc words differ" in dropped and "u4\tsrc has no alignment" in dropped
    with pytest.raises(ValueError, match=r"--max_misfit_rate 0\.1"):
        import_alignments.run(
            replace(train, max_misfit_rate=0.1, out_dir=tmp_path / "few")
        )

    test = replace(train, misfit="equal", out_dir=tmp_path / "test")
    import_alignments.run(test)
    words = read_words(test.out_dir / "words.src.jsonl")
    assert [w.start_sec for w in words["u2"]] == pytest.approx([0, 0.5, 1.0])
    assert read_json(test.out_dir / "stage.json")["facts"]["num_equal_intervals"] == 2


def test_times_of_a_longer_recording_are_noticed():
    words = [TimedWord("la", 0.0, 0.5), TimedWord("casa", 7.0, 7.4)]
    with pytest.raises(ValueError, match=r"'casa' lies at 7.00..7.40 s of 1.00 s"):
        match(["La", "casa."], words, 1.0)
    with pytest.raises(ValueError, match="overlap"):
        match(["a", "b"], [TimedWord("a", 0, 0.9), TimedWord("b", 0.5, 1)], 1.0)
    with pytest.raises(ValueError, match="ends before"):
        match(["a"], [TimedWord("a", 0.9, 0.2)], 1.0)


def test_a_word_that_is_spelled_as_a_label_of_silence_is_a_word():
    """Turkish 'sil', erase, was taken for silence, and its utterance was a misfit."""
    timed = [TimedWord("sil", 0.0, 0.4), TimedWord("ve", 0.5, 0.9)]
    assert [w.text for w in match(["sil", "ve"], timed, 1.0)] == ["sil", "ve"]
    assert [w.text for w in match(["Sil,", "ve."], timed, 1.0)] == ["Sil,", "ve."]
    assert [w.text for w in match(["ve"], timed, 1.0)] == ["ve"]
    timed[0] = TimedWord("SIL", 0.0, 0.4)
    assert [w.text for w in match(["ve"], timed, 1.0)] == ["ve"]


def test_letters_of_another_keyboard_are_no_misfit():
    """Romanian with the cedilla of Turkish, Arabic with a stroke that lengthens a word."""
    for text, aligned in (("ștă", "ştă"), ("كتاب", "كتـاب"), ("علي", "ﻋﻠﻲ")):
        assert match([text], [TimedWord(aligned, 0.0, 0.5)], 1.0)[0].text == text


def test_no_word_ends_before_it_starts():
    """An end behind the audio's was cut, and its start was not."""
    for times in ((1.05, 1.2), (-0.2, -0.1)):
        with pytest.raises(ValueError, match=r"'b' lies at .* s of 1\.00 s"):
            match(["b"], [TimedWord("b", *times)], 1.0)
    new, york = match(["New", "York"], [TimedWord("newyork", 0.9, 1.2)], 1.0)
    assert (new.start_sec, new.end_sec) == (0.9, 1.0)
    assert (york.start_sec, york.end_sec) == (1.0, 1.0)


def test_an_aligners_word_may_be_two_of_the_transcripts():
    first, second = match(["New", "York"], [TimedWord("newyork", 1.0, 1.7)], 2.0)
    assert (first.start_sec, first.end_sec) == (1.0, 1.3)
    assert (second.start_sec, second.end_sec) == (1.3, 1.7)
    assert letters("¡Qué, l'Été-là!") == "quélétélà"


@pytest.mark.parametrize(
    ("name", "text", "kind", "message"),
    [
        ("x.ctm", "u1 1 0.0 word\n", "ctm", r"x.ctm:1: no line '<id>"),
        ("x.ctm", "u1 1 0.0 0.5 word -3.2\n", "ctm", "a confidence of 0 to 1 or NA"),
        ("u1.json", '{"segments": [{"text": "a"}]}', "whisper", "word_timestamps"),
        (
            "u1.json",
            '{"segments": [{"words": [{"start": 9}]}]}',
            "whisper",
            "no word with times",
        ),
        ("u1.TextGrid", "nothing", "textgrid", "cannot be read as a TextGrid"),
        ("u1.txt", "", "textgrid", "no <utterance id>.TextGrid in it"),
    ],
)
def test_broken_files_are_named(tmp_path, name, text, kind, message):
    path = tmp_path / name
    path.write_text(text)
    with pytest.raises(ValueError, match=message):
        timed.read(path if kind == "ctm" else tmp_path, kind)


def test_a_ctm_may_have_no_confidence_and_say_so(tmp_path):
    """NeMo's forced aligner writes NA; its files were refused as no CTM."""
    path = tmp_path / "x.ctm"
    path.write_text("u1 1 0.0 0.5 hello NA lex NA\nu1 1 0.5 0.5 world 1.0\n")
    (first, second) = timed.read(path, "ctm").words["u1"]
    assert (first.score, second.score) == (None, 0.0)
