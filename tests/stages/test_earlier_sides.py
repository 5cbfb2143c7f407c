"""Directories of a version whose files were named by language are read as they are."""

from dataclasses import replace
from pathlib import Path

import pytest
import tones

from s2st_interleave.data import audio, kaldi
from s2st_interleave.data.languages import LanguageCode
from s2st_interleave.files import read_json, write_json
from s2st_interleave.interleave.dump import Dump
from s2st_interleave.stages import align, dump, kmeans, tsv_corpus, units

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
        **given,
        out_dir=tmp_path / "align",
        min_score=None,
        min_median_score=None,
        blank_edges=False,
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


def test_what_it_has_begun_goes_on_and_its_shards_go(options):
    words, _, _ = options
    align.run(replace(words, shard="0/2"))
    record = words.out_dir / "stage.open.json"
    begun = dict(read_json(record))
    begun["options"] = dict(begun["options"]) | {"languages": ["es", "en"]}
    write_json(record, begun)
    shards = words.out_dir / "shards"
    for language in tones.SIDES.values():
        (shards / language).mkdir(parents=True)
        for name in ("1of2", "1of2.proof", "1of2.sec"):
            (shards / language / name).write_text("what versions without parts left")
    align.run(words)
    left = sorted(str(path.relative_to(shards)) for path in shards.rglob("*"))
    parts = ("", "/part1", "/part1.proof")
    assert left == [f"{role}{part}" for role in ("src", "tgt") for part in parts]


@pytest.fixture
def corpus(tmp_path) -> tsv_corpus.Options:
    """A directory of stage 1, with its audio in folders by language."""
    rows = ["id\tsrc_audio\tsrc_text\ttgt_audio\ttgt_text\tsplit"]
    for split in ("train", "dev", "test"):
        for name, clip in tones.clips(split, 2).items():
            audio.write(tmp_path / f"{name}.flac", clip.samples)
            rows.append("\t".join((name, *[f"{name}.flac", clip.text] * 2, split)))
    (tmp_path / "my.tsv").write_text("\n".join(rows) + "\n")
    made = tsv_corpus.Options(
        tsv=tmp_path / "my.tsv",
        src_lang=LanguageCode("es"),
        data_dir=tmp_path / "data",
        audio_dir=tmp_path / "audio",
        split="train",
    )
    tsv_corpus.run(made)
    for role, language in tones.SIDES.items():
        (made.audio_dir / role).rename(made.audio_dir / language)
        scp = made.data_dir / f"wav.scp.{role}"
        scp.write_text(scp.read_text().replace(f"/{role}/", f"/{language}/"))
        proofs = made.data_dir / "sources" / f"sha256.{role}"
        proofs.rename(proofs.with_name(f"sha256.{language}"))
    by_language(made.data_dir)
    # Its tables have other names than those of which its record has the digest.
    done = read_json(made.data_dir / "stage.json")
    write_json(made.data_dir / "stage.json", done | {"outputs": "as made then"})
    return made


def test_what_is_gone_of_its_audio_is_made_again_under_its_names(corpus, capsys):
    """Else all that was made of it would have to be made anew."""
    tsv_corpus.run(corpus)
    assert "up to date, skipped" in capsys.readouterr().out
    tables = {p.name: p.read_bytes() for p in corpus.data_dir.glob("*.e?")}
    (corpus.audio_dir / "es" / "train01.flac").unlink()
    tsv_corpus.run(corpus)
    assert "made again" in capsys.readouterr().out
    assert not (corpus.data_dir / "sides").exists() and len(tables) == 8
    assert {p.name: p.read_bytes() for p in corpus.data_dir.glob("*.e?")} == tables
    assert kaldi.DataDir(corpus.data_dir).wavs("src")["train01"].is_file()


def test_made_anew_it_is_named_by_role_and_its_old_audio_goes(corpus):
    tsv_corpus.run(replace(corpus, min_sec=0.2, overwrite=True))
    assert kaldi.DataDir(corpus.data_dir).file("text", "en").name == "text.tgt"
    left = {p.parent.name for p in corpus.audio_dir.rglob("*.flac")}
    assert left == {"src", "tgt"}
