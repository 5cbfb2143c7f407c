"""Words and units of one pass are those of two, whoever made the parts and in which order."""

from dataclasses import replace
from pathlib import Path

import pytest
import tones

from s2st_interleave.data import kaldi
from s2st_interleave.encoder import reader
from s2st_interleave.encoder.speech_encoder import SpeechEncoder
from s2st_interleave.errors import UserError
from s2st_interleave.files import read_json
from s2st_interleave.stages import align, kmeans, units
from s2st_interleave.units.store import read_units

CPU = {"device": "cpu", "num_threads": 1}
BATCHES = {"batch_sec": 6.0}


@pytest.fixture(scope="module")
def made(tmp_path_factory) -> dict[str, Path]:
    """data/train of nine utterances, one without its audio, an encoder and a codebook."""
    root = tmp_path_factory.mktemp("one pass")
    data = tones.write_data(root, "train", tones.both(tones.clips("u", 9)))
    kaldi.write_table(data / "faults.src", {"u04": "no audio, src is missing: x.mp3"})
    encoder = tones.train_encoder(root / "encoder", data, data, max_steps=1)
    given = {"encoder": encoder, "out_dir": root / "kmeans", "layer": 2}
    kmeans.run(kmeans.Options(data_dir=(data,), num_units=12, **given, **CPU))
    return {"data_dir": data, "encoder": encoder, "kmeans": root / "kmeans"}


@pytest.fixture(
    params=[pytest.param({}, marks=pytest.mark.slow), BATCHES],
    ids=["one at a time", "batches"],
)
def options(
    request, made, tmp_path, monkeypatch
) -> tuple[align.Options, units.Options]:
    """Of two passes, in parts of four utterances."""
    for module in (align, units):
        monkeypatch.setattr(module, "SMALLEST_PART", 4)
    same = {k: made[k] for k in ("data_dir", "encoder")} | CPU | request.param
    words = align.Options(
        out_dir=tmp_path / "align",
        min_median_score=None,
        max_drop_rate=1.0,
        min_score=-3.02,  # of an encoder that hears nothing: some are dropped
        **same,
    )
    spoken = units.Options(out_dir=tmp_path / "units", kmeans=made["kmeans"], **same)
    return words, spoken


def in_one_pass(words: align.Options, spoken: units.Options, root: Path):
    """The same options for one pass, which writes to `root`."""
    places = {"out_dir": root / "align", "units_dir": root / "units"}
    together = replace(words, kmeans=spoken.kmeans, **places)
    return together, replace(spoken, out_dir=root / "units")


def content(folder: Path) -> dict[str, object]:
    """Files of a finished directory, and what stage.json says but for time and place."""
    own = [p for p in folder.iterdir() if p.is_file() and p.name != "stage.json"]
    files = {p.name: p.read_bytes().replace(bytes(folder), b"") for p in own}
    done = dict(read_json(folder / "stage.json"))
    for name in ("git", "wall_sec", "paths", "outputs", "digests", "bytes", "files"):
        done.pop(name)  # outputs to files: the scp names its ark by a path
    return files | {"stage.json": done}


def test_both_directories_are_those_of_two_passes(options, tmp_path, monkeypatch):
    words, spoken = options
    align.run(words)
    units.run(spoken)
    together, later = in_one_pass(words, spoken, tmp_path / "it's one")
    passes = []
    plain = SpeechEncoder._outputs
    monkeypatch.setattr(
        SpeechEncoder,
        "_outputs",
        lambda self, batch, *more: (
            passes.append(len(batch)) or plain(self, batch, *more)
        ),
    )
    align.run(together)
    assert sum(passes) == 2 * 9  # of two sides, once each
    assert (together.out_dir / "stage.json").is_file()
    assert content(later.out_dir) == content(spoken.out_dir)
    assert content(together.out_dir) == content(words.out_dir)
    dropped = (words.out_dir / "dropped.tsv").read_text().splitlines()
    assert len(dropped) >= 1
    assert len(read_units(later.out_dir / "units.src")) == 9  # drops are of words alone


def test_stage_4_finds_them_finished_and_two_passes_find_each_other(options, capsys):
    words, spoken = options
    together, later = in_one_pass(words, spoken, words.out_dir.parent)
    align.run(together)
    capsys.readouterr()
    units.run(later)
    align.run(words)
    assert capsys.readouterr().out.count("up to date, skipped") == 2


def test_parts_of_any_jobs_are_merged_without_an_encoder(
    options, tmp_path, monkeypatch
):
    words, spoken = options
    align.run(words)
    units.run(spoken)
    together, later = in_one_pass(words, spoken, tmp_path / "jobs")
    for shard in ("0/3", "3/3"):
        align.run(replace(together, shard=shard))
    assert not list(tmp_path.glob("jobs/*/stage.json"))
    units.run(replace(later, shard="2/3"))  # another run made some of the units alone
    for shard in ("1/2", "2/2"):
        align.run(replace(together, shard=shard))
    monkeypatch.setattr(SpeechEncoder, "load", None)
    monkeypatch.setattr(reader.Reader, "read", None)
    align.run(together)
    assert content(later.out_dir) == content(spoken.out_dir)
    assert content(together.out_dir) == content(words.out_dir)


def test_a_lost_part_of_the_units_alone_is_made_again_by_stage_4(options, tmp_path):
    words, spoken = options
    units.run(spoken)
    together, later = in_one_pass(words, spoken, tmp_path / "lost")
    for shard in ("0/1", "1/1"):
        align.run(replace(together, shard=shard))
    (later.out_dir / "shards" / "tgt" / "part2").write_bytes(b"")
    units.run(later)
    assert content(later.out_dir) == content(spoken.out_dir)


def test_one_pass_wants_a_codebook_and_a_folder(options):
    words, spoken = options
    with pytest.raises(UserError, match="--kmeans and --units_dir go together"):
        align.run(replace(words, kmeans=spoken.kmeans))


def test_a_codebook_of_an_earlier_version_has_the_encoders_frames(made):
    done = dict(read_json(made["kmeans"] / "stage.json"))
    assert done["facts"]["unit_sec"] == 0.04
    older = units.Options(
        data_dir=made["data_dir"],
        encoder=made["encoder"],
        kmeans=made["kmeans"],
        out_dir=made["kmeans"],
    )
    assert units._unit_sec(older) == 0.04
    path = made["kmeans"] / "stage.json"
    text = path.read_text()
    path.write_text(text.replace('"unit_sec"', '"other"'))
    assert units._unit_sec(older) == 0.04
    path.write_text(text)
