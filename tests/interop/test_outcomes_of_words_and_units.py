"""What is wrong with words or units of one utterance is its outcome, as in stage 1."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from kaldi_copies import dropped

from s2st_interleave.align.words import read_words
from s2st_interleave.data import audio, kaldi
from s2st_interleave.files import read_json
from s2st_interleave.interleave.dump import Dump
from s2st_interleave.interop import import_alignments, import_data, import_units
from s2st_interleave.stages import dump
from s2st_interleave.units import store

SECONDS = {"u1": 1.0, "u2": 1.5, "u3": 2.0, "u4": 0.8}


# Alignments


def break_whisper(folder: Path, damage: str) -> None:
    path = folder / "u2.json"
    content = json.loads(path.read_text())
    if damage == "no words":
        del content["segments"][0]["words"]
    elif damage == "no times":
        del content["segments"][0]["words"][0]["start"]
    elif damage == "a bad score":
        content["segments"][0]["words"][0]["probability"] = float("nan")
    path.write_text(json.dumps(content))
    if damage == "no json":
        path.write_text('{"segments": [')
    if damage == "no utf-8":
        path.write_bytes(b'{"segments": [], "text": "caf\xe9"}')


def whisper(folder: Path, data: kaldi.DataDir) -> Path:
    folder.mkdir()
    for utterance, text in data.texts("en").items():
        words = text.split()
        width = data.durations("en")[utterance] / len(words)
        timed = [
            {"word": w, "start": i * width, "end": (i + 1) * width}
            for i, w in enumerate(words)
        ]
        content = {"segments": [{"words": timed}]}
        (folder / f"{utterance}.json").write_text(json.dumps(content))
    return folder


@pytest.mark.parametrize(
    "damage", ["no words", "no times", "a bad score", "no json", "no utf-8"]
)
def test_one_broken_file_of_whisper_drops_one_utterance(
    aligned, train, tmp_path, damage
):
    folder = whisper(tmp_path / "whisper", train)
    break_whisper(folder, damage)
    asked = replace(
        aligned,
        data_dir=train.path,
        tgt_format="whisper",
        tgt_alignments=folder,
        max_drop_rate=0.25,
    )
    import_alignments.run(asked)  # by the split: --misfit drop
    assert read_words(asked.out_dir / "words.src.jsonl").keys() == {"u1", "u3", "u4"}
    assert "u2.json" in dropped(asked.out_dir)["u2"] or damage == "no times"
    import_alignments.run(replace(asked, misfit="drop", out_dir=tmp_path / "two"))


@pytest.mark.parametrize(
    "content", [b"", b"File type", b"\x00\xff", b'"words"\nintervals [1]: xmin = x']
)
def test_one_broken_textgrid_drops_one_utterance(aligned, train, content, tmp_path):
    (path,) = aligned.src_alignments.rglob("u3.TextGrid")
    path.write_bytes(content)
    with pytest.raises(
        ValueError, match=r"u3: src alignment is broken: .*u3\.TextGrid"
    ):
        import_alignments.run(aligned)  # of test: an error that names it
    asked = replace(
        aligned, data_dir=train.path, max_drop_rate=0.25, out_dir=tmp_path / "two"
    )
    import_alignments.run(asked)
    assert dropped(asked.out_dir).keys() == {"u3"}


@pytest.mark.parametrize("line", ["u2 1 x 0.1 the", "u2 1 0.1", "u2 1 nan 0.1 the"])
def test_a_line_of_ctm_with_bad_numbers_drops_one_utterance(aligned, train, line):
    with aligned.tgt_alignments.open("a") as stream:
        stream.write(line + "\n")
    asked = replace(aligned, data_dir=train.path, max_drop_rate=0.25)
    import_alignments.run(asked)
    assert ".ctm:" in dropped(asked.out_dir)["u2"]


def test_a_higher_rate_changes_nothing_that_is_finished(aligned, train, capsys):
    asked = replace(aligned, data_dir=train.path)
    import_alignments.run(asked)
    import_alignments.run(replace(asked, max_misfit_rate=0.5, max_drop_rate=0.4))
    assert "up to date" in capsys.readouterr().out


def test_what_stage_1_has_lost_needs_no_alignment(aligned, silent):
    asked = replace(aligned, data_dir=silent.path)
    import_alignments.run(asked)  # the files have u2 and u4 as they once were
    words = read_words(asked.out_dir / "words.src.jsonl")
    assert words.keys() == SECONDS.keys()
    assert [w.text for w in words["u4"]] == ["Pan,", "agua..."]
    assert words["u4"][-1].end_sec == pytest.approx(0.1)
    assert [w.text for w in words["u2"]] == ["..."]
    assert read_json(asked.out_dir / "stage.json")["facts"]["num_equal_intervals"] == 2


# Units


@pytest.fixture
def units(train, tmp_path) -> import_units.Options:
    rng = np.random.default_rng(4)
    for language in ("es", "en"):
        lines = [
            f"{k} {' '.join(map(str, rng.integers(0, 30, round(s / 0.02))))}"
            for k, s in SECONDS.items()
        ]
        (tmp_path / f"{language}.km").write_text("\n".join(lines) + "\n")
    return import_units.Options(
        data_dir=train.path,
        src_units=tmp_path / "es.km",
        tgt_units=tmp_path / "en.km",
        num_units=30,
        unit_sec=0.02,
        codebook="theirs",
        out_dir=tmp_path / "units",
        max_drop_rate=0.25,
    )


BAD_UNITS = {
    "has no units": lambda line: "",
    "has no units ": lambda line: line[:2] + "\n",
    "units outside 0..29": lambda line: line[:-1] + " 30\n",
    "units outside 0..29 ": lambda line: line[:-1] + " -1\n",
    "not all are whole numbers": lambda line: line[:-1] + " x\n",
    "not all are whole numbers ": lambda line: line[:-1] + " 99999999999\n",
    "has about 75": lambda line: line[:60] + "\n",
    "occurs twice": lambda line: line + line,
}


@pytest.mark.parametrize("reason", BAD_UNITS)
def test_units_that_do_not_fit_drop_one_utterance(units, reason):
    lines = units.src_units.read_text().splitlines(keepends=True)
    lines[1] = BAD_UNITS[reason](lines[1])
    units.src_units.write_text("".join(lines))
    with pytest.raises(ValueError, match="1 of 4 utterances have no units that fit"):
        import_units.run(replace(units, max_drop_rate=0.05))
    import_units.run(units)
    for side in ("src", "tgt"):
        stored = store.read_units(units.out_dir / f"units.{side}")
        assert stored.keys() == {"u1", "u3", "u4"}
    assert reason.strip() in dropped(units.out_dir)["u2"]


def test_stage_5_counts_what_either_stage_has_dropped(units, aligned, train, tmp_path):
    lines = units.src_units.read_text().splitlines(keepends=True)
    units.src_units.write_text("".join(lines[:1] + lines[2:]))
    import_units.run(units)
    (path,) = aligned.src_alignments.rglob("u3.TextGrid")
    path.unlink()
    words = replace(aligned, data_dir=train.path, max_misfit_rate=0.25)
    import_alignments.run(words)
    asked = dump.Options(
        align_dir=words.out_dir,
        units_dir=units.out_dir,
        out_dir=tmp_path / "dump",
    )
    dump.run(asked)
    assert [utterance.id for utterance in Dump(asked.out_dir)] == ["u1", "u4"]
    reasons = dropped(asked.out_dir)
    assert reasons["u3"].startswith("not aligned in stage 3")
    assert reasons["u2"].startswith("no units in stage 4: src units are missing: ")
    counts = read_json(asked.out_dir / "stage.json")["counts"]
    assert (counts["in"], counts["out"]) == (4, 2)


def test_silence_has_units_of_its_own_in_a_test_set(units, silent):
    """The units of the lost recording cannot be those of the silence in its place."""
    asked = replace(units, data_dir=silent.path)
    import_units.run(asked)
    stored = store.read_units(asked.out_dir / "units.src")
    assert stored["u4"].tolist() == [0] * 5 and len(stored["u3"]) == 100
    assert len(audio.read(silent.wavs("es")["u4"])) == 1600
    lines = asked.src_units.read_text().splitlines()[:3]
    asked.src_units.write_text("\n".join(lines))  # and nobody needs them
    import_units.run(replace(asked, overwrite=True))


def test_other_units_of_a_test_set_are_all_needed(units, silent):
    lines = units.src_units.read_text().splitlines()
    units.src_units.write_text("\n".join(lines[1:]))
    with pytest.raises(ValueError, match=r"lose nothing\):\n  u1: src units are missi"):
        import_units.run(replace(units, data_dir=silent.path, max_drop_rate=1.0))


def test_every_importer_has_the_same_limit():
    for command in (import_data, import_units, import_alignments):
        assert "max_drop_rate" in command.Options.__dataclass_fields__
