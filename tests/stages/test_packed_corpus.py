"""Stage 1 reads a corpus in its archives as it reads its folders, and unpacks no clip."""

import shutil

import pytest
from tiny_clips import equal, make, options, pack, samples

from s2st_interleave.data import kaldi
from s2st_interleave.stage_dir import Input
from s2st_interleave.stages import side_audio
from s2st_interleave.stages.data import run


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    return make(tmp_path_factory.mktemp("made") / "corpus")


@pytest.fixture(params=["cor pus", 'it\'s "my" corpus'])
def root(made, tmp_path, request):
    return shutil.copytree(made, tmp_path / request.param)


@pytest.fixture
def corpus(made, tmp_path):
    return shutil.copytree(made, tmp_path / "cor pus")


@pytest.mark.parametrize("ending", [".tar.gz", ".tar"])
@pytest.mark.parametrize("audio_format", ["ark", "flac"])
def test_a_corpus_in_archives_gives_what_its_folders_give(root, ending, audio_format):
    unpacked = options(root, "train", "plain", audio_format=audio_format)
    run(unpacked)
    pack(root, ending)
    for split in ("train", "dev"):
        given = options(root, split, audio_format=audio_format)
        run(given)
    packed = options(root, "train", audio_format=audio_format)
    assert equal(samples(unpacked), samples(packed))
    assert Input(packed.data_dir, "data").fingerprint()
    tables = sorted(p.name for p in (root / "un packed").rglob("*") if p.is_file())
    wanted = [*3 * [".unpacked.json"], "covost.tsv", "dev.tsv", "test.tsv", "train.tsv"]
    assert tables == [*wanted, "validated.tsv"]


def test_a_corpus_that_was_packed_since_is_the_same(corpus, capsys):
    run(options(corpus))
    pack(corpus)
    run(options(corpus))
    assert "up to date, skipped" in capsys.readouterr().out


@pytest.mark.parametrize("ending", [".tar.gz", ".tar"])
def test_bad_members_of_an_archive_are_counted_and_named(corpus, ending):
    (corpus / "cv" / "clips" / "test_clip1.mp3").unlink()
    (corpus / "cv" / "clips" / "test_clip2.mp3").write_bytes(b"<html>404</html>")
    (corpus / "cvss" / "train" / "train_clip6.mp3.wav").write_bytes(b"RIFF")
    pack(corpus, ending)
    given = options(corpus, "test", max_missing_rate=0.5)
    run(given)
    data = kaldi.DataDir(given.data_dir)
    assert data.silent("src") == {"test_clip1", "test_clip2"}
    faults, clips = data.faults("src"), f"{corpus}/cv{ending}/cv/clips"
    assert faults["test_clip1"].startswith(
        f"no audio, src is missing: {clips}/test_clip1.mp3"
    )
    assert faults["test_clip2"].startswith(
        f"no audio, src is broken: {clips}/test_clip2.mp3: cannot be read as audio"
    )
    assert not samples(given)["src test_clip1"].any()
    run(options(corpus))
    dropped = (options(corpus).data_dir / "dropped.tsv").read_text()
    wav = f"{corpus}/cvss{ending}/cvss/train/train_clip6.mp3.wav"
    assert f"train_clip6\tno audio, tgt is broken: {wav}: " in dropped
    assert "train_clip4\tsrc audio is too short" in dropped


def test_a_member_that_would_fill_the_memory_is_a_fault_of_its_clip(
    corpus, monkeypatch
):
    pack(corpus)
    run(options(corpus, name="first"))
    sizes = sorted(p.stat().st_size for p in corpus.glob("unpacked cvss/train/*.wav"))
    monkeypatch.setattr(side_audio, "LARGEST", sizes[0])
    with pytest.raises(
        ValueError, match=r"src is broken: .*\.mp3 has \d+ bytes, at most"
    ):
        run(options(corpus))
