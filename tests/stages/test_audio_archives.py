"""Stage 1 keeps audio in Kaldi archives: the same samples as in files, whatever happens."""

import os
import shutil
import tarfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import soundfile

from s2st_interleave.data import ark, audio, kaldi
from s2st_interleave.data.validate import Options as ValidateOptions
from s2st_interleave.data.validate import run as validate
from s2st_interleave.stage_dir import Input
from s2st_interleave.stages import side_audio, subset
from s2st_interleave.stages.data import Options, run

CLIPS = [f"clip{k}" for k in range(7)]


@pytest.fixture(autouse=True)
def small_parts(monkeypatch):
    """Archives of two recordings each."""
    monkeypatch.setattr(side_audio, "PART", 2)


@pytest.fixture(params=["cor pus", 'it\'s "my" corpus'])
def root(tmp_path, request):
    return make(tmp_path / request.param)


@pytest.fixture
def corpus(tmp_path):
    return make(tmp_path / "cor pus")


def make(root: Path) -> Path:
    """Seven clips a split as CVSS and Common Voice have them; of train one is too short."""
    clips, cvss = root / "cv" / "clips", root / "cvss"
    clips.mkdir(parents=True)
    rng = np.random.default_rng(0)
    validated, covost = "client_id\tpath\tsentence\n", "path\ttranslation\tsplit\n"
    for split in ("train", "dev", "test"):
        (cvss / split).mkdir(parents=True)
        rows = ""
        for number, clip in enumerate(CLIPS):
            name = f"{split}_{clip}.mp3"
            validated += f"spk\t{name}\thola\n"
            covost += f"{name}\thello\t{split}\n"
            rows += f"{name}\thello\n"
            count = 2_000 if (split, number) == ("train", 4) else 24_000
            noise = 0.1 * rng.standard_normal(2 * count)
            soundfile.write(clips / name, noise, 48_000, format="MP3")
            soundfile.write(cvss / split / f"{name}.wav", noise[:count], 24_000)
        (cvss / f"{split}.tsv").write_text(rows)
    (root / "cv" / "validated.tsv").write_text(validated)
    (root / "covost.tsv").write_text(covost)
    return root


def pack(root: Path, ending: str = ".tar.gz") -> None:
    """Archives in the place of the corpora, their clips in an order of their own."""
    rng = np.random.default_rng(1)
    for name in ("cv", "cvss", "covost.tsv"):
        paths = sorted(
            p for p in [root / name, *(root / name).rglob("*")] if p.is_file()
        )
        mode = "w:gz" if ending.endswith("gz") else "w"
        with tarfile.open(root / f"{name}{ending}", mode) as tar:
            for index in rng.permutation(len(paths)):
                tar.add(paths[index], f"./{paths[index].relative_to(root)}")
        (root / name).rename(root / f"unpacked {name}")


def options(root: Path, split: str = "train", name: str = "data", **more) -> Options:
    def place(part: str) -> Path:
        packed = sorted(root.glob(f"{part}.t*"))
        return packed[0] if packed and not (root / part).exists() else root / part

    given = {
        "common_voice": place("cv"),
        "covost": place("covost.tsv"),
        "cvss": place("cvss"),
        "unpack_dir": root / "un packed",
        "data_dir": root / name / split,
        "audio_dir": root / f"audio of {name}" / split,
        "split": split,
        "src_lang": "es",
        "audio_format": "ark",
        "max_drop_rate": 0.5,
    }
    return Options(**given | more)


def samples(given: Options) -> dict[str, np.ndarray]:
    data = kaldi.DataDir(given.data_dir)
    return {
        f"{role} {k}": audio.read(wav)
        for role in ("src", "tgt")
        for k, wav in data.wavs(role).items()
    }


def files(folder: Path) -> dict[str, bytes]:
    return {
        str(p.relative_to(folder)): p.read_bytes()
        for p in sorted(folder.rglob("*"))
        if p.is_file() and p.name != "digests"
    }


def equal(some: dict[str, np.ndarray], others: dict[str, np.ndarray]) -> bool:
    return some.keys() == others.keys() and all(
        np.array_equal(some[k], others[k]) for k in some
    )


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
