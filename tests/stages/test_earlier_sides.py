"""Directories of a version whose files were named by language are read as they are."""

from dataclasses import replace
from pathlib import Path

import pytest
import tones

from s2st_interleave.data import kaldi
from s2st_interleave.files import read_json, write_json
from s2st_interleave.interleave.dump import Dump
from s2st_interleave.stage_dir import Input
from s2st_interleave.stages import align, dump, kmeans, units

CPU = {"device": "cpu", "num_threads": 1}


def by_language(folder: Path, **options: object) -> Path:
    """Make of a finished directory what an earlier version has left."""
    for role, language in tones.SIDES.items():
        for path in (*folder.glob(f"*.{role}"), *folder.glob(f"*.{role}.*")):
            name = path.name.replace(f".{role}", f".{language}")
            path.write_bytes(path.read_bytes().replace(b".src.ark", b".es.ark"))
            if name.endswith(".scp"):
                text = path.read_text().replace(f".{role}.ark", f".{language}.ark")
                path.write_text(text)
            path.rename(folder / name)
    (folder / "sides").unlink(missing_ok=True)
    done = dict(read_json(folder / "stage.json"))
    done["facts"] = {k: v for k, v in done["facts"].items() if k != "sides"}
    done["options"] = dict(done["options"]) | options
    del done["files"]
    write_json(folder / "stage.json", done)
    return folder


@pytest.fixture(scope="module")
def made(tmp_path_factory) -> dict[str, Path]:
    """data/train, encoder and codebook; the first as an earlier version has left it."""
    root = tmp_path_factory.mktemp("an earlier version")
    data = tones.write_data(root, "train", tones.both(tones.clips("train", 6)))
    by_language(data, src_lang="es", tgt_lang="en")
    encoder = tones.train_encoder(root / "encoder", data, data, max_steps=1)
    kmeans.run(
        kmeans.Options(
            data_dir=(data,),
            encoder=encoder,
            out_dir=root / "kmeans",
            layer=2,
            num_units=12,
            **CPU,
        )
    )
    return {"data_dir": data, "encoder": encoder, "kmeans": root / "kmeans"}


@pytest.fixture
def options(made, tmp_path) -> tuple[align.Options, units.Options, dump.Options]:
    given = {name: made[name] for name in ("data_dir", "encoder")} | CPU
    words = align.Options(
        **given, out_dir=tmp_path / "align", min_score=None, min_median_score=None
    )
    spoken = units.Options(**given, kmeans=made["kmeans"], out_dir=tmp_path / "units")
    joined = dump.Options(
        align_dir=words.out_dir, units_dir=spoken.out_dir, out_dir=tmp_path / "dump"
    )
    return words, spoken, joined


def test_its_data_goes_through_stages_3_to_5(made, options):
    words, spoken, joined = options
    data = kaldi.DataDir(made["data_dir"])
    assert data.file("text", "src").name == "text.es"
    assert data.texts("src") == data.texts("es") and data.sides == tones.SIDES
    kaldi.validate(data)
    align.run(words)
    units.run(spoken)
    dump.run(joined)
    assert (words.out_dir / "words.src.jsonl").is_file()
    assert Dump(joined.out_dir).sides == ("src", "tgt")


def test_its_words_units_and_dump_are_up_to_date_and_join_with_todays(options, capsys):
    words, spoken, joined = options
    align.run(words)
    units.run(spoken)
    dump.run(joined)
    today = [one.sides["tgt"].units.tolist() for one in Dump(joined.out_dir)]
    languages = ["es", "en"]
    for folder in (words.out_dir, spoken.out_dir):
        by_language(folder, languages=languages)
    by_language(joined.out_dir, src_lang="es", tgt_lang="en")
    capsys.readouterr()
    align.run(words)
    units.run(spoken)
    assert capsys.readouterr().out.count("up to date, skipped") == 2
    again = replace(joined, out_dir=joined.out_dir.with_name("again"))
    dump.run(again)
    assert [one.sides["tgt"].units.tolist() for one in Dump(again.out_dir)] == today
    fresh = replace(words, out_dir=words.out_dir.with_name("fresh"))
    align.run(fresh)
    mixed = replace(again, align_dir=fresh.out_dir, out_dir=again.out_dir / "mixed")
    dump.run(mixed)
    assert [one.sides["tgt"].units.tolist() for one in Dump(mixed.out_dir)] == today


def test_shards_that_it_has_begun_are_taken_up(options, capsys):
    words, _, _ = options
    for shard in ("0/2", "1/2"):
        align.run(replace(words, shard=shard))
    record = words.out_dir / "stage.open.json"
    begun = dict(read_json(record))
    begun["options"] = dict(begun["options"]) | {"languages": ["es", "en"]}
    write_json(record, begun)
    shards = words.out_dir / "shards"
    for role, language in tones.SIDES.items():
        (shards / role).rename(shards / language)
    before = (shards / "es" / "1of2").stat().st_mtime_ns
    align.run(replace(words, num_shards=2))
    assert (shards / "src" / "1of2").stat().st_mtime_ns == before
    assert sorted(path.name for path in shards.iterdir()) == ["src", "tgt"]


def test_what_is_gone_of_its_audio_is_made_again_under_its_names(tmp_path):
    """Else all that was made of it would have to be made anew: see test_provenance.py."""
    data = tones.write_data(tmp_path, "train", tones.both(tones.clips("train", 2)))
    before = by_language(data, src_lang="es", tgt_lang="en")
    assert kaldi.DataDir(before).suffix("tgt") == "en"
    assert Input(before, "data").fingerprint()
