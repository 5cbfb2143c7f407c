"""How well an utterance fits its text is measured, and what is measured is used."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import tones
import torch
from tones import Clip

from s2st_interleave.align.words import Word, read_words, write_words
from s2st_interleave.data import kaldi
from s2st_interleave.encoder.speech_encoder import SpeechEncoder
from s2st_interleave.errors import UserError
from s2st_interleave.files import read_json
from s2st_interleave.stages import align

pytestmark = pytest.mark.slow  # an encoder is trained until it hears
WRONG = {"u01", "u02", "u11", "u12", "u21", "u22"}


def clips() -> dict[str, Clip]:
    """Thirty: two silent, two with each other's texts, one of noise, one cut in half."""
    named = tones.clips("u", 30)
    rng = np.random.default_rng(0)
    for name in ("u01", "u02"):
        named[name] = replace(named[name], samples=np.zeros_like(named[name].samples))
    texts = named["u11"].text, named["u12"].text
    named["u11"] = replace(named["u11"], text=texts[1])
    named["u12"] = replace(named["u12"], text=texts[0])
    samples = named["u21"].samples
    noise = 0.1 * rng.standard_normal(len(samples))
    named["u21"] = replace(named["u21"], samples=noise.astype(np.float32))
    whole = named["u22"].samples
    named["u22"] = replace(named["u22"], samples=whole[: len(whole) * 6 // 10])
    return named


@pytest.fixture
def options(encoders, tmp_path) -> align.Options:
    """Of a train split of which the source side is partly wrong."""
    sides = {"src": clips(), "tgt": tones.clips("u", 30)}
    return align.Options(
        data_dir=tones.write_data(tmp_path, "train", sides),
        encoder=encoders["hears"],
        out_dir=tmp_path / "align" / "train",
        max_drop_rate=0.2,
        device="cpu",
        num_threads=1,
    )


def dropped(options: align.Options) -> dict[str, str]:
    lines = (options.out_dir / "dropped.tsv").read_text().splitlines()
    return dict(line.split("\t") for line in lines)


def facts(options: align.Options) -> dict:
    return read_json(options.out_dir / "stage.json")["facts"]


def test_training_data_that_does_not_fit_its_text_is_dropped_with_its_score(options):
    align.run(options)
    reasons = dropped(options)
    assert reasons.keys() == WRONG
    for reason in reasons.values():
        kind, _, score = reason.partition(": ")
        assert kind == "src score is low" and float(score) < -4
    for side in ("src", "tgt"):  # a pair goes as a whole
        words = read_words(options.out_dir / f"words.{side}.jsonl")
        assert len(words) == 24 and not WRONG & words.keys()
    assert read_json(options.out_dir / "stage.json")["counts"]["dropped"] == {
        "src score is low": 6
    }


def test_dev_and_test_keep_it_and_say_so(options, capsys):
    test = replace(options, drop=False, max_drop_rate=0.0)
    align.run(test)
    assert read_words(test.out_dir / "words.src.jsonl").keys() >= WRONG
    assert dropped(test) == {}
    printed = capsys.readouterr().out
    assert "6 utterances score less than -4.0, kept" in printed
    notes = facts(test)
    assert (notes["num_low_scores"], notes["num_equal_intervals"]) == (6, 0)


def test_the_ten_worst_are_named_in_every_split(options, capsys):
    for drop in (True, False):
        one = replace(options, drop=drop, out_dir=options.out_dir / str(drop))
        align.run(one)
        lines = capsys.readouterr().out.splitlines()
        start = next(i for i, line in enumerate(lines) if "lowest mean word" in line)
        rows = [line.split() for line in lines[start + 1 : start + 11]]
        assert {row[0] for row in rows[:6]} == WRONG
        assert {row[1] for row in rows} <= {"src", "tgt"} and rows[0][1] == "src"
        scores = [float(row[2]) for row in rows]
        assert scores == sorted(scores) and scores[5] < -4 < scores[6]
        assert [row[0] for row in facts(one)["worst"]] == [row[0] for row in rows]


def test_they_count_toward_the_limit_of_what_may_be_dropped(options):
    few = replace(options, max_drop_rate=0.1)
    with pytest.raises(
        UserError, match=r"6 of 30 .*--max_drop_rate 0\.1.*\n  u01: src"
    ):
        align.run(few)
    align.run(replace(few, max_drop_rate=0.2))  # no other result: nothing to overwrite
    assert dropped(few).keys() == WRONG


def test_the_threshold_is_an_option(options):
    align.run(replace(options, min_score=None))
    assert dropped(options) == {}
    strict = replace(options, min_score=-1e-6, max_drop_rate=1.0)
    with pytest.raises(UserError, match="min_score: was None"):
        align.run(strict)


@pytest.mark.parametrize("drop", [True, False])
def test_an_encoder_that_hears_nothing_stops_every_split(options, encoders, drop):
    deaf = replace(options, encoder=encoders["deaf"], drop=drop, max_drop_rate=1.0)
    with pytest.raises(UserError, match=r"src: the median .*--min_median_score none"):
        align.run(deaf)
    assert not (deaf.out_dir / "stage.json").exists()
    align.run(replace(deaf, min_median_score=None))  # nothing to overwrite
    assert facts(deaf)["median_score"]["src"] < -3


def test_an_encoder_stops_at_speech_that_it_has_never_heard(options, tmp_path):
    """As one of made voices does at real Spanish; here on one side alone."""
    sides = {"src": tones.clips("u", 12), "tgt": tones.clips("u", 12, pitch=1.7)}
    folder = tones.write_data(tmp_path / "other", "test", sides)
    other = replace(options, data_dir=folder, drop=False)
    with pytest.raises(UserError, match=r"test, tgt: the median .* is -\d"):
        align.run(other)


def test_texts_of_other_recordings_stop_it_as_well(options, tmp_path):
    """A table whose lines have slipped by one: all texts are real, none is right."""
    named = tones.clips("u", 12)
    texts = [one.text for one in named.values()]
    slipped = {
        name: replace(one, text=texts[index - 1])
        for index, (name, one) in enumerate(named.items())
    }
    folder = tones.write_data(tmp_path / "slipped", "dev", tones.both(slipped))
    with pytest.raises(UserError, match="texts are of other recordings"):
        align.run(replace(options, data_dir=folder, drop=False))


def test_how_good_an_alignment_is_stands_beside_what_is_usual(options, capsys):
    align.run(options)
    assert "train tgt: median of 30 mean word scores -0." in capsys.readouterr().out
    notes = facts(options)
    assert -1 < notes["median_score"]["tgt"] < 0 and notes["num_measured"]["src"] == 30


def with_stand_ins(options: align.Options, tmp_path: Path) -> align.Options:
    """Silence for a recording, a text of no words, a text longer than its audio."""
    named = tones.clips("u", 12)
    named["u00"] = Clip("lata pie", np.zeros(16_000, np.float32))
    named["u01"] = replace(named["u01"], text="...")
    named["u02"] = replace(named["u02"], samples=named["u02"].samples[:6000])
    folder = tones.write_data(tmp_path / "stand-ins", "test", tones.both(named))
    kaldi.write_table(folder / "faults.src", {"u00": "no audio, src is missing: x.mp3"})
    return replace(options, data_dir=folder, drop=False)


def test_stand_ins_are_not_the_best_there_is(options, tmp_path, capsys):
    test = with_stand_ins(options, tmp_path)
    align.run(test)
    lines = (test.out_dir / "words.src.jsonl").read_text().splitlines()
    spanish = {line["id"]: line for line in map(json.loads, lines)}
    for name in ("u00", "u01", "u02"):
        assert {row[3] for row in spanish[name]["words"]} == {None}
    assert spanish["u00"]["fault"].startswith("no audio")
    assert "there is no word" in spanish["u01"]["fault"]
    assert "audio is shorter than text" in spanish["u02"]["fault"]
    assert "fault" not in spanish["u03"]
    notes = facts(test)
    assert notes["num_equal_intervals"] == 5  # in English u00 is silence that was heard
    assert notes["num_measured"] == {"src": 9, "tgt": 10}
    assert notes["worst"][0][:2] == ["u00", "tgt"]
    assert "3 utterances cannot be aligned, kept" in capsys.readouterr().out
    words = read_words(test.out_dir / "words.src.jsonl")
    assert words["u00"][0].score is None and words["u03"][0].score < 0
    write_words(tmp_path / "again", words)
    assert read_words(tmp_path / "again") == words


def test_a_measured_score_of_0_is_no_stand_in_and_old_files_are_read(tmp_path):
    path = tmp_path / "words.src.jsonl"
    path.write_text('{"id": "a", "words": [["x", 0.0, 1.0, 0.0]]}\n')
    assert read_words(path) == {"a": [Word("x", 0.0, 1.0, 0.0)]}
    path.write_text('{"id": "a", "words": [["x", 0.0, 1.0, NaN]]}\n')
    with pytest.raises(
        UserError, match=r"src\.jsonl:1: .*'x' has nan in place of a number"
    ):
        read_words(path)


@pytest.mark.parametrize("drop", [True, False])
@pytest.mark.parametrize("where", ["the encoder", "its output", "the audio"])
def test_only_what_cannot_be_aligned_falls_back(options, monkeypatch, drop, where):
    """A fault of the encoder is no property of an utterance."""

    def broken(self, features, *_):
        if where == "the encoder":
            raise ValueError("operands could not be broadcast together")
        return torch.full((1, len(features[0]), 18), np.nan), None

    if where == "the audio":
        wav = kaldi.DataDir(options.data_dir).wavs("src")["u05"]
        wav.write_bytes(wav.read_bytes()[:200])
        expected, message = UserError, "u05"
    else:
        monkeypatch.setattr(SpeechEncoder, "_outputs", broken)
        expected = ValueError if where == "the encoder" else ArithmeticError
        message = "broadcast" if where == "the encoder" else "u00: .*not finite"
    with pytest.raises(expected, match=message) as caught:
        align.run(replace(options, drop=drop, max_drop_rate=1.0))
    assert isinstance(caught.value, UserError) == (where == "the audio")
    assert not (options.out_dir / "stage.json").exists()


def test_a_side_of_which_nothing_can_be_aligned_stops(options, tmp_path):
    named = tones.clips("u", 12)
    short = {k: replace(one, samples=one.samples[:4000]) for k, one in named.items()}
    sides = {"src": named, "tgt": short}
    folder = tones.write_data(tmp_path / "short", "test", sides)
    test = replace(options, data_dir=folder, drop=False)
    with pytest.raises(UserError, match=r"tgt: no utterance can be aligned \(audio is"):
        align.run(test)


def test_the_work_of_its_jobs_is_the_work_of_the_stage(options):
    align.run(replace(options, shard="1/2"))
    proof = options.out_dir / "shards" / "src" / "part1.proof"
    proof.write_text(" ".join([*proof.read_text().split()[:2], "600.0"]))
    align.run(options)
    assert 600 < read_json(options.out_dir / "stage.json")["wall_sec"] < 720
