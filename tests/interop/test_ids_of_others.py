"""Units are found under the names that other toolkits give to utterances."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from s2st_interleave.data import kaldi
from s2st_interleave.interop import import_alignments, import_units
from s2st_interleave.interop.ids import bare, match_ids
from s2st_interleave.units import store

IDS = ("u1", "u2", "u3", "u4")


@pytest.fixture
def units(data_dir) -> dict[str, np.ndarray]:
    """As many as 20 ms fit into each recording, all different."""
    rng = np.random.default_rng(2)
    seconds = data_dir.durations("es")
    return {k: rng.integers(0, 30, round(seconds[k] / 0.02)) for k in IDS}


def options(data_dir: kaldi.DataDir, path: Path, **more) -> import_units.Options:
    return import_units.Options(
        data_dir=data_dir.path,
        src_units=path,
        tgt_units=path,
        num_units=30,
        unit_sec=0.02,
        codebook="theirs",
        out_dir=path.parent / "units",
        **more,
    )


def joined(vector: np.ndarray) -> str:
    return " ".join(map(str, vector))


LINES = {
    "fairseq's k-means script": "{id}|{units}",
    "the same of CVSS": "{id}.mp3|{units}",
    "with a folder": "cvss/train/{id}.mp3.wav {units}",
    "textless-lib": "{id}.flac\t{units}",
    "a folder with a space": "my clips/{id}.wav\t{units}",
    "capitals": "{id}.WAV {units}",
    "speech-resynthesis": "{{'audio': '/a/{id}.wav', 'hubert': '{units}'}}",
    "a list": '{{"id": "{id}", "units": [{commas}]}}',
}


def same(asked: import_units.Options, units: dict[str, np.ndarray]) -> bool:
    stored = store.read_units(asked.out_dir / "units.tgt")
    return stored.keys() == units.keys() and all(
        np.array_equal(stored[k], units[k]) for k in units
    )


@pytest.mark.parametrize("kind", LINES)
def test_lines_of_other_toolkits(data_dir, units, tmp_path, kind):
    lines = [
        LINES[kind].format(id=k, units=joined(v), commas=joined(v).replace(" ", ", "))
        for k, v in units.items()
    ]
    (tmp_path / "x.km").write_text("\n".join(lines) + "\n")
    asked = options(data_dir, tmp_path / "x.km")
    import_units.run(asked)
    assert same(asked, units)


@pytest.mark.parametrize("name", ["{}.mp3.wav", "clips/{}.mp3.wav", "{}.flac", "{}"])
def test_a_fairseq_manifest_of_cvss(data_dir, units, tmp_path, name):
    rows = ["/cvss/train", *(f"{name.format(k)}\t16000" for k in units)]
    (tmp_path / "x.tsv").write_text("\n".join(rows) + "\n")
    (tmp_path / "x.km").write_text("\n".join(map(joined, units.values())) + "\n")
    asked = options(data_dir, tmp_path / "x.km", format="fairseq")
    import_units.run(asked)
    assert same(asked, units)


def test_named_lines_need_no_manifest(data_dir, units, tmp_path):
    lines = [f"{k}.mp3|{joined(v)}" for k, v in units.items()]
    (tmp_path / "x.km").write_text("\n".join(lines) + "\n")
    asked = options(data_dir, tmp_path / "x.km", format="fairseq")
    import_units.run(asked)
    assert same(asked, units)


def test_an_error_about_ids_shows_one_of_each_side(data_dir, units, tmp_path):
    lines = [f"speaker-{k}|{joined(v)}" for k, v in units.items()]
    (tmp_path / "x.km").write_text("\n".join(lines) + "\n")
    with pytest.raises(
        ValueError, match=r"utterance u1 has no units \(of no .* 'speaker-u1'\)"
    ):
        import_units.run(options(data_dir, tmp_path / "x.km"))


def test_an_id_itself_wins_and_what_is_unclear_is_nobodys():
    match = match_ids(
        ["a", "a.mp3", "x/b.wav", "y/b.wav", "c.ogg", "z"], ["a", "b", "c.mp3"]
    )
    assert match.names == {"a": "a", "c.mp3": "c.ogg"}
    assert match.unclear == {"b": "several names are like ids: x/b.wav, y/b.wav"}
    assert match.others == ("a.mp3", "x/b.wav", "y/b.wav", "z")
    assert match_ids(["a"], ["a.mp3", "a.wav"]).names == {}
    assert bare("C:\\clips\\v1.2.MP3") == "v1.2"


def test_an_accent_that_a_mac_stores_apart_is_the_same():
    match = match_ids(["clips/an\u0303o.wav"], ["a\xf1o"])
    assert match.names == {"a\xf1o": "clips/an\u0303o.wav"}


def test_a_pipe_in_an_scp_is_not_run(data_dir, tmp_path):
    (tmp_path / "x.scp").write_text(f"u1 touch {tmp_path}/ran |\n")
    (tmp_path / "x.ark").write_bytes(b"")
    with pytest.raises(ValueError, match="u1 is a pipe"):
        import_units.run(options(data_dir, tmp_path / "x.scp", format="scp"))
    assert not (tmp_path / "ran").exists()


def test_alignments_are_found_by_such_names_too(aligned, tmp_path):
    lines = aligned.tgt_alignments.read_text().splitlines()
    renamed = [f"cvss/{line[:2]}.mp3{line[2:]}" for line in lines if line[0] == "u"]
    (tmp_path / "renamed.ctm").write_text("\n".join(renamed) + "\n")
    import_alignments.run(aligned)
    other = replace(
        aligned, tgt_alignments=tmp_path / "renamed.ctm", out_dir=tmp_path / "other"
    )
    import_alignments.run(other)
    for name in ("words.tgt.jsonl", "words.src.jsonl"):
        assert (other.out_dir / name).read_bytes() == (
            aligned.out_dir / name
        ).read_bytes()
