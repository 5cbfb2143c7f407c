"""Units of other toolkits as stage 4's, out again, and on to stage 5."""

from dataclasses import replace
from pathlib import Path

import kaldiio
import numpy as np
import pytest

from s2st_interleave.facts import DumpFacts
from s2st_interleave.files import read_json
from s2st_interleave.interleave.dump import Dump
from s2st_interleave.interop import (
    export_units,
    import_alignments,
    import_units,
    unit_files,
)
from s2st_interleave.stages import dump
from s2st_interleave.status.command import gather
from s2st_interleave.units import store


@pytest.fixture
def units(data_dir) -> dict[str, dict[str, np.ndarray]]:
    """Fifty a second, one less at the end, as an encoder leaves it."""
    rng = np.random.default_rng(1)
    return {
        language: {
            utterance: rng.integers(0, 30, round(seconds / 0.02) - 1).astype(np.int32)
            for utterance, seconds in data_dir.durations(language).items()
        }
        for language in ("es", "en")
    }


def test_a_name_of_bars_alone_is_a_name(tmp_path):
    text = tmp_path / "text.km"
    text.write_text("| 1 2\nu1|5\nu2|\n")
    read = unit_files.read(text, "text")
    assert {k: v.tolist() for k, v in read.units.items()} == {
        "|": [1, 2],
        "u1": [5],
        "u2": [],
    }
    assert not read.faults
    text.write_text("u1 1\n|\n")
    assert unit_files.read(text, "text").units["|"].size == 0


@pytest.fixture
def imported(data_dir, units, tmp_path) -> import_units.Options:
    for language, vectors in units.items():
        unit_files.write_text(tmp_path / f"{language}.km", vectors)
    return import_units.Options(
        data_dir=data_dir.path,
        src_units=tmp_path / "es.km",
        tgt_units=tmp_path / "en.km",
        num_units=30,
        unit_sec=0.02,
        codebook="a codebook of theirs",
        out_dir=tmp_path / "units",
    )


def same(a: dict[str, np.ndarray], b: dict[str, np.ndarray]) -> bool:
    return a.keys() == b.keys() and all(np.array_equal(a[k], b[k]) for k in a)


def test_text_km_goes_in_and_comes_out_byte_by_byte(imported, units, tmp_path):
    import_units.run(imported)
    stored = store.read_units(imported.out_dir / "units.src")
    assert same(stored, units["es"]) and stored["u1"].dtype == np.int32
    done = read_json(imported.out_dir / "stage.json")
    assert done["stage"] == "units"
    assert done["facts"]["kmeans"] == "imported: a codebook of theirs"
    out = export_units.Options(
        units=imported.out_dir / "units.src", out=tmp_path / "again.km"
    )
    export_units.run(out)
    assert out.out.read_bytes() == imported.src_units.read_bytes()
    with pytest.raises(ValueError, match=r"again.km exists: pass --overwrite true"):
        export_units.run(out)


def write_fairseq(folder: Path, name: str, units: dict[str, np.ndarray]) -> Path:
    rows = [f"clips/{utterance}.wav\t16000" for utterance in units]
    (folder / f"{name}.tsv").write_text("\n".join(["/audio", *rows]) + "\n")
    lines = [" ".join(map(str, vector)) for vector in units.values()]
    (folder / f"{name}.km").write_text("\n".join(lines) + "\n")
    return folder / f"{name}.km"


def write_scp(folder: Path, name: str, units: dict[str, np.ndarray]) -> Path:
    stem = folder / name
    kaldiio.save_ark(f"{stem}.ark", units, scp=f"{stem}.scp")
    return stem.with_suffix(".scp")


@pytest.mark.parametrize(
    ("kind", "write"), [("fairseq", write_fairseq), ("scp", write_scp)]
)
def test_other_formats_hold_the_same(imported, units, tmp_path, kind, write):
    folder = tmp_path / kind
    folder.mkdir()
    asked = replace(
        imported,
        format=kind,
        src_units=write(folder, "es", units["es"]),
        tgt_units=write(folder, "en", units["en"]),
    )
    import_units.run(asked)
    for side, language in (("src", "es"), ("tgt", "en")):
        stored = store.read_units(asked.out_dir / f"units.{side}")
        assert same(stored, units[language])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda lines: lines[:1] + lines[2:], "utterance u2 has no units"),
        (lambda lines: [*lines, lines[0]], "es.km:5: utterance u1 occurs twice"),
        (lambda lines: [lines[0] + " x", *lines[1:]], "es.km:1: utterance u1: not all"),
        (lambda lines: [lines[0] + " 30", *lines[1:]], r"u1: units outside 0..29"),
        (lambda lines: [lines[0][:60], *lines[1:]], "are repeats taken out"),
        (lambda lines: [*lines, ""], "es.km:5: empty line"),
    ],
)
def test_units_that_cannot_be_of_this_data_are_named(imported, change, message):
    lines = imported.src_units.read_text().splitlines()
    imported.src_units.write_text("\n".join(change(lines)) + "\n")
    with pytest.raises(ValueError, match=message):
        import_units.run(imported)
    assert not (imported.out_dir / "stage.json").exists()


def test_what_was_imported_is_dumped_by_stage_5(imported, aligned, units, tmp_path):
    import_units.run(imported)
    import_alignments.run(aligned)
    asked = dump.Options(
        align_dir=aligned.out_dir,
        units_dir=imported.out_dir,
        out_dir=tmp_path / "dump",
    )
    dump.run(asked)
    assert DumpFacts.read(asked.out_dir).kmeans == "imported: a codebook of theirs"
    stored = Dump(asked.out_dir)
    assert stored.vocabulary.num_units == 30
    assert [utterance.id for utterance in stored] == ["u1", "u2", "u3", "u4"]
    assert np.array_equal(stored[1].sides["src"].units, units["es"]["u2"])
    # "casa" of u2 lies at 0.6..1.0 s: units 30 to 50 at 0.02 s.
    source = stored[1].sides["src"]
    assert source.words[1] == "casa" and source.spans[1].tolist() == [30, 50]


def test_status_knows_the_command_that_imported(imported, kaldi_dirs, monkeypatch):
    """It took units of others for stage 4's, and ended with a traceback."""
    recipe = imported.data_dir.parent.parent
    monkeypatch.chdir(recipe)
    out = Path("dump/units/test")
    import_units.run(replace(imported, data_dir=Path("data/test"), out_dir=out))

    def states() -> dict[str, str]:
        (found,) = gather(recipe)
        made = [place for place in found.places if place.state != "missing"]
        return {place.stage: place.state for place in made}

    assert states() == {"data": "done", "units": "done"}
    text = imported.src_units.read_text()
    imported.src_units.write_text(text.replace("u1 ", "u1 0 ", 1))
    assert states() == {"data": "done", "units": "stale"}
    table = kaldi_dirs / "es" / "text"
    kept = table.read_text()
    try:
        table.write_text(kept.replace("roja", "rota"))
        assert states()["data"] == "stale"
    finally:
        table.write_text(kept)  # of the session
