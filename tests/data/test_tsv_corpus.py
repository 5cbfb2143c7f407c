"""A corpus of one's own: what its TSV may hold, and how a mistake is explained."""

import pytest

from s2st_interleave.data.corpus import Utterance
from s2st_interleave.data.tsv_corpus import hash_split, read_utterances
from s2st_interleave.errors import UserError

HEADER = "id\tsrc_audio\tsrc_text\ttgt_audio\ttgt_text"
THREE = [f"{s}1\ta.wav\tuno\tb/b.wav\tone\t{s}" for s in ("train", "dev", "test")]


def write(folder, *lines: str, header: str = HEADER + "\tsplit"):
    path = folder / "my own.tsv"
    path.write_text("\n".join([header, *lines]) + "\n", encoding="utf-8")
    return path


def read(path) -> dict[str, list[Utterance]]:
    return read_utterances(path, ("src", "tgt"))


def test_paths_are_relative_to_the_tsv_and_lines_are_known(tmp_path):
    path = write(tmp_path, *THREE, "t2\t/abs/c.mp3\tdos\tc.wav\ttwo\ttrain")
    pairs = read(path)
    assert [p.id for p in pairs["train"]] == ["t2", "train1"]
    assert pairs["dev"][0].sides["tgt"].audio == tmp_path / "b" / "b.wav"
    assert str(pairs["train"][0].sides["src"].audio) == "/abs/c.mp3"
    assert pairs["test"][0].where == f"{path}:4"


def test_a_backslash_is_a_letter(tmp_path):
    path = write(tmp_path, *THREE, "t2\tC:\\audio\\c.mp3\tdos\tc.wav\ttwo\ttrain")
    assert "C:\\audio\\c.mp3" in str(read(path)["train"][0].sides["src"].audio)


def test_without_a_split_it_is_drawn_by_the_source_text(tmp_path):
    rows = [f"u{k}\ta.wav\ttext {k}\tb.wav\tx" for k in range(400)]
    rows += [f"again{k}\ta.wav\ttext {k}\tb.wav\ty" for k in range(400)]
    pairs = read(write(tmp_path, *rows, header=HEADER))
    assert 0.86 < len(pairs["train"]) / 800 < 0.94
    texts = {
        split: {p.sides["src"].text for p in utterances}
        for split, utterances in pairs.items()
    }
    assert not texts["train"] & (texts["dev"] | texts["test"])
    # Published: another hash would move sentences from test to train.
    assert [k for k in range(60) if hash_split(f"text {k}") == "dev"] == [17, 22]


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        (["a b\ta\tx\tb\ty\ttrain"], r":5: 'a b' is no id"),
        (["../a\ta\tx\tb\ty\ttrain"], r":5: '\.\./a' is no id"),
        (["dev1\ta\tx\tb\ty\ttrain"], r":5: id dev1 is that of line 3"),
        (["u\ta\tx\tb\ty\ttrian"], r":5: split 'trian'.*did you mean 'train'"),
        (["u\ta\tx\tb\ty"], r":5: 5 columns, not 6"),
    ],
)
def test_a_bad_line_names_file_and_line(tmp_path, lines, message):
    with pytest.raises(ValueError, match=rf"my own\.tsv{message}"):
        read(write(tmp_path, *THREE, *lines))


@pytest.mark.parametrize(
    ("header", "message"),
    [
        ("id\tsrc_audio\tsrc_text\ttgt_text", r":1: no column tgt_audio"),
        (HEADER + "\tspit", r":1: unknown column 'spit'; did you mean 'split'"),
        (HEADER + "\tid", r":1: column 'id' occurs twice"),
        (HEADER.replace("\t", ","), r":1: no column id.*with tabs"),
    ],
)
def test_a_bad_header_is_explained(tmp_path, header, message):
    with pytest.raises(ValueError, match=message):
        read(write(tmp_path, *THREE, header=header))


def test_a_split_without_utterances_is_an_error(tmp_path):
    with pytest.raises(
        ValueError, match="no utterance of split dev; set column 'split'"
    ):
        read(write(tmp_path, THREE[0], THREE[2]))


def test_a_recording_that_is_not_named_is_the_fault_of_its_line(tmp_path):
    """One such line stopped stage 1 for all the others."""
    lines = ("t2\t\tdos\tc.wav\ttwo\ttrain", "t3\tc.wav\ttres\t\tthree\ttest")
    pairs = read(write(tmp_path, *THREE, *lines))
    faults = {
        pair.id: tuple(speech.fault for speech in pair.sides.values())
        for split in pairs.values()
        for pair in split
    }
    assert faults["t2"] == ("no audio, column src_audio is empty", "")
    assert faults["t3"] == ("", "no audio, column tgt_audio is empty")
    assert faults["train1"] == ("", "")


def test_a_table_of_test_rows_alone_was_refused_for_want_of_train(tmp_path):
    path = write(tmp_path, THREE[2])
    splits = read_utterances(path, ("src", "tgt"), "test")
    assert [u.id for u in splits["test"]] == ["test1"] and not splits["train"]
    with pytest.raises(UserError, match="no utterance of split dev"):
        read_utterances(path, ("src", "tgt"), "dev")


def test_a_column_of_speakers_was_unknown(tmp_path):
    rows = [f"{row}\t{who}" for row, who in zip(THREE, ("Ana", "", "Li"), strict=True)]
    path = write(tmp_path, *rows, header=HEADER + "\tsplit\tspeaker")
    speakers = {u.id: u.speaker for some in read(path).values() for u in some}
    assert speakers == {"train1": "Ana", "dev1": "dev1", "test1": "Li"}
    rows[2] += " Na"
    path = write(tmp_path, *rows, header=HEADER + "\tsplit\tspeaker")
    with pytest.raises(UserError, match=":4: speaker 'Li Na' has a space"):
        read(path)
