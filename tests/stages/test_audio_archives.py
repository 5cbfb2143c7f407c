"""Stage 1 keeps audio in Kaldi archives: the same samples as in files, whatever happens."""

import os
import shutil
from dataclasses import replace

import numpy as np
import pytest
import soundfile
from tiny_clips import equal, files, make, options, pack, samples

from s2st_interleave.data import ark, audio, kaldi
from s2st_interleave.data.validate import Options as ValidateOptions
from s2st_interleave.data.validate import run as validate
from s2st_interleave.stage_dir import Input
from s2st_interleave.stages import side_audio, subset
from s2st_interleave.stages.data import run


@pytest.fixture(autouse=True)
def small_parts(monkeypatch):
    """Archives of two recordings each."""
    monkeypatch.setattr(side_audio, "PART", 2)


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    return make(tmp_path_factory.mktemp("made") / "corpus")


@pytest.fixture(params=["cor pus", 'it\'s "my" corpus'])
def root(made, tmp_path, request):
    return shutil.copytree(made, tmp_path / request.param)


@pytest.fixture
def corpus(made, tmp_path):
    return shutil.copytree(made, tmp_path / "cor pus")


@pytest.mark.parametrize("split", ["train", "test"])
def test_archives_hold_the_samples_of_single_files(root, split):
    plain = options(root, split, "plain", audio_format="flac")
    packed = options(root, split)
    for given in (plain, packed):
        run(given)
        validate(ValidateOptions(data_dir=given.data_dir))
    assert equal(samples(plain), samples(packed))
    for name in ("text.src", "utt2dur.tgt", "utt2level.src", "dropped.tsv"):
        assert (plain.data_dir / name).read_bytes() == (
            packed.data_dir / name
        ).read_bytes()
    number = {"train": 6, "test": 7}[split]
    assert len(samples(packed)) == 2 * number
    assert sorted(files(packed.audio_dir)) == [
        f"{role}/wav.{k}.ark" for role in ("src", "tgt") for k in (1, 2, 3, 4)
    ]
    wavs = kaldi.DataDir(plain.data_dir).wavs("src")
    for utterance, place in kaldi.DataDir(packed.data_dir).wavs("src").items():
        assert ark.sha256(place) == ark.sha256(wavs[utterance])


@pytest.mark.parametrize("is_packed", [False, True])
def test_any_number_of_threads_writes_the_same_bytes(corpus, is_packed):
    if is_packed:
        pack(corpus)
    one, many = options(corpus, name="one", nj=1), options(corpus, name="many", nj=5)
    run(one)
    run(many)
    assert files(one.audio_dir) == files(many.audio_dir)


@pytest.mark.parametrize("is_packed", [False, True])
def test_a_killed_run_goes_on_and_leaves_the_same_bytes(corpus, monkeypatch, is_packed):
    """What was finished is not written again, and what was begun is no trace."""
    if is_packed:
        pack(corpus)
    whole, given = options(corpus, name="whole"), options(corpus)
    run(whole)
    converted = []
    real = side_audio.convert

    def dies(spoken, *more):
        converted.append(spoken.id)
        if len(converted) == 6:
            raise KeyboardInterrupt
        return real(spoken, *more)

    with monkeypatch.context() as patch:
        patch.setattr(side_audio, "convert", dies)
        with pytest.raises(KeyboardInterrupt):
            run(replace(given, nj=1))
    folder = given.audio_dir / "src"
    finished = {p: p.stat().st_mtime_ns for p in folder.glob("wav.*.ark")}
    assert finished and not (given.data_dir / "stage.json").exists()
    (folder / ".wav.3.ark.1.tmp").write_bytes(b"left by kill -9")
    run(given)
    assert files(given.audio_dir) == files(whole.audio_dir)
    assert all(path.stat().st_mtime_ns == when for path, when in finished.items())


@pytest.mark.parametrize("is_packed", [False, True])
def test_only_archives_with_a_recording_that_changed_are_written_again(
    corpus, is_packed
):
    given = options(corpus, "test")
    run(given)
    before = {p: p.stat().st_mtime_ns for p in given.audio_dir.rglob("*.ark")}
    noise = 0.1 * np.random.default_rng(9).standard_normal(24_000)
    soundfile.write(corpus / "cvss" / "test" / "test_clip3.mp3.wav", noise, 24_000)
    with pytest.raises(ValueError, match=r"test_clip3: .* has other content"):
        run(given)
    if is_packed:
        pack(corpus)
    again = options(corpus, "test", overwrite=True)
    run(again)
    changed = {p for p, when in before.items() if p.stat().st_mtime_ns != when}
    order_is_the_same = not is_packed
    if order_is_the_same:
        assert changed == {given.audio_dir / "tgt" / "wav.2.ark"}
    fresh = options(corpus, "test", "fresh")
    run(fresh)
    assert files(fresh.audio_dir) == files(again.audio_dir)


def test_utterances_that_move_to_another_archive_are_copied(corpus, monkeypatch):
    given = options(corpus, "test")
    run(given)
    table = corpus / "cvss" / "test.tsv"
    table.write_text("".join(table.read_text().splitlines(keepends=True)[1:]))
    reads = []
    real = audio.load
    monkeypatch.setattr(audio, "load", lambda *a, **k: reads.append(a) or real(*a, **k))
    run(replace(given, overwrite=True, nj=1))
    fresh = options(corpus, "test", "fresh")
    assert len(reads) <= 4  # the file that a recording is in may be written over before
    run(fresh)
    assert files(fresh.audio_dir) == files(given.audio_dir)


def test_audio_that_was_deleted_or_cut_is_made_again_in_its_own_format(corpus, capsys):
    given = options(corpus, "test")
    run(given)
    before, downstream = (
        files(given.audio_dir),
        Input(given.data_dir, "data").fingerprint(),
    )
    path = given.audio_dir / "tgt" / "wav.2.ark"
    path.write_bytes(path.read_bytes()[:-10])
    message = r"its audio has \d+ bytes, not \d+; it is made by stage 1 .*--stage 1"
    with pytest.raises(FileNotFoundError, match=message):
        Input(given.data_dir, "data").fingerprint()
    with pytest.raises(
        ValueError, match=r"test_clip3: no audio at .*2\.ark:\d+ .*breaks"
    ):
        validate(ValidateOptions(data_dir=given.data_dir))
    run(replace(given, audio_format="flac"))
    assert files(given.audio_dir) == before
    shutil.rmtree(given.audio_dir)
    with pytest.raises(FileNotFoundError, match=r"wav\.1\.ark \(and 7 more\) is gone"):
        Input(given.data_dir, "data").fingerprint()
    run(replace(given, audio_format="flac"))
    assert files(given.audio_dir) == before
    assert Input(given.data_dir, "data").fingerprint() == downstream
    plain = options(corpus, "dev", audio_format="flac")
    run(plain)
    downstream = Input(plain.data_dir, "data").fingerprint()
    shutil.rmtree(plain.audio_dir)
    run(replace(plain, audio_format="ark"))
    assert Input(plain.data_dir, "data").fingerprint() == downstream
    assert not list(plain.audio_dir.rglob("*.ark"))


@pytest.mark.parametrize("formats", [("flac", "ark"), ("ark", "flac")])
def test_a_begun_split_goes_on_in_another_format(corpus, monkeypatch, formats):
    first, second = formats
    given = options(corpus, "test", audio_format=first)
    run(given)
    shutil.rmtree(given.data_dir)
    with monkeypatch.context() as patch:
        if second == "ark":
            patch.setattr(audio, "load", None)  # nothing is decoded again
        run(replace(given, audio_format=second))
    fresh = options(corpus, "test", "fresh", audio_format=second)
    run(fresh)
    assert files(given.audio_dir) == files(fresh.audio_dir)


def test_a_part_of_a_split_reads_the_archives_of_the_whole(corpus):
    given = options(corpus, "test")
    run(given)
    part = subset.Options(
        data_dir=given.data_dir, out_dir=corpus / "part", num_utterances=2
    )
    subset.run(part)
    whole = samples(given)
    data = kaldi.DataDir(part.out_dir)
    for utterance, wav in data.wavs("tgt").items():
        assert np.array_equal(audio.read(wav), whole[f"tgt {utterance}"])
    os.truncate(given.audio_dir / "src" / "wav.1.ark", 100)
    with pytest.raises(FileNotFoundError, match="its audio has"):
        Input(part.out_dir, "subset").fingerprint()
