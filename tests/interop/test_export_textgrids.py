"""TextGrids of stage 3: the words come back as they went, under names that do no harm."""

import pytest
from praatio import textgrid

from s2st_interleave.align.words import Word, read_words
from s2st_interleave.errors import UserError
from s2st_interleave.files import read_json
from s2st_interleave.interop import export_textgrids, import_alignments
from s2st_interleave.interop.ids import file_name, match_ids

ODD = [
    "../../etc/passwd",
    "/abs/id",
    "a/b",
    "a%2Fb",
    "a\\b",
    "with space",
    ".hidden",
    "..",
    ".",
    "",
    "end.",
    'q"?*<>|:',
    "日本" * 60,
    "日本" * 61,
    "u\n1",
]


def test_words_come_back_as_they_were(aligned, tmp_path, data_dir):
    """Times to 0.1 ms, which is how import_alignments rounds them."""
    import_alignments.run(aligned)
    out = tmp_path / "grids"
    export_textgrids.run(
        export_textgrids.Options(
            align_dir=aligned.out_dir, out_dir=out, data_dir=data_dir.path
        )
    )
    again = import_alignments.Options(
        data_dir=data_dir.path,
        src_format="textgrid",
        src_alignments=out / "src",
        tgt_format="textgrid",
        tgt_alignments=out / "tgt",
        out_dir=tmp_path / "again",
    )
    import_alignments.run(again)
    for side in ("src", "tgt"):
        name = f"words.{side}.jsonl"
        before, after = (read_words(d / name) for d in (aligned.out_dir, again.out_dir))
        assert before.keys() == after.keys() and len(before) == 4
        for utterance, words in before.items():
            others = after[utterance]
            assert [w.text for w in words] == [w.text for w in others]
            for word, other in zip(words, others, strict=True):
                assert other.start_sec == pytest.approx(word.start_sec, abs=1e-4)
                assert other.end_sec == pytest.approx(word.end_sec, abs=1e-4)
    assert read_json(again.out_dir / "stage.json")["counts"]["dropped"] == {}


def test_a_grid_lasts_as_long_as_its_recording_and_has_one_tier(
    aligned, tmp_path, data_dir
):
    import_alignments.run(aligned)
    out = tmp_path / "grids"
    options = export_textgrids.Options(
        align_dir=aligned.out_dir, out_dir=out, data_dir=data_dir.path
    )
    export_textgrids.run(options)
    grid = textgrid.openTextgrid(str(out / "src" / "u3.TextGrid"), True)
    assert grid.tierNames == ("words",) and grid.maxTimestamp == pytest.approx(2.0)
    assert sorted(p.name for p in (out / "src").iterdir())[0] == "u1.TextGrid"
    with pytest.raises(UserError, match="not empty"):
        export_textgrids.run(options)


def test_odd_ids_have_files_of_their_own_in_the_folder(tmp_path):
    words, folder = [Word("a", 0.0, 0.5, None)], tmp_path / "deep" / "src"
    folder.mkdir(parents=True)
    for utterance in ODD:
        export_textgrids.write(folder, utterance, words, 1.0)
    written = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert len(written) == len(ODD)
    assert {path.parent for path in written} == {folder}


def test_files_of_odd_ids_are_matched_with_these_ids():
    names = [file_name(utterance) for utterance in ODD]
    assert match_ids(names, ODD).names == dict(zip(ODD, names, strict=True))
    assert match_ids(["a%2Fb"], ["a%2Fb"]).names == {"a%2Fb": "a%2Fb"}


def test_quotes_and_words_without_length_are_kept(tmp_path):
    words = [
        Word('say "no"', 0.0, 0.3, None),
        Word("a", 0.3, 0.3, None),
        Word("b", 0.3, 0.6, None),
        Word("c", 0.59, 0.9, None),
    ]
    path = export_textgrids.write(tmp_path, "u", words, 0.5)
    tier = textgrid.openTextgrid(str(path), False).getTier("words")
    assert [e.label for e in tier.entries] == [w.text for w in words]
    for entry, word in zip(tier.entries, words, strict=True):
        assert entry.start == pytest.approx(word.start_sec, abs=0.0101)
