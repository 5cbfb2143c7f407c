"""A row of CVSS that the other tables do not have is that row's fault, not the corpus's."""

import shutil
from pathlib import Path

import numpy as np
import pytest
import soundfile

from s2st_interleave.__main__ import main
from s2st_interleave.data import audio, kaldi
from s2st_interleave.files import read_json

NUM_CLIPS = 10
TABLES = {
    "covost.tsv": "path\ttranslation\tsplit",
    "cv/validated.tsv": "client_id\tpath\tsentence",
}


@pytest.fixture(scope="session")
def whole(tmp_path_factory) -> Path:
    """Ten clips in train and in test, all as they should be."""
    root = tmp_path_factory.mktemp("cvss")
    clips = root / "cv" / "clips"
    clips.mkdir(parents=True)
    noise = 0.1 * np.random.default_rng(0).standard_normal(24_000)
    lines = {name: [header] for name, header in TABLES.items()}
    for split in ("train", "test"):
        (root / "cvss" / split).mkdir(parents=True)
        lines[f"cvss/{split}.tsv"] = []
        for k in range(NUM_CLIPS):
            name = f"{split}{k}.mp3"
            soundfile.write(clips / name, noise, 24_000, format="MP3")
            soundfile.write(root / "cvss" / split / f"{name}.wav", noise, 24_000)
            lines[f"cvss/{split}.tsv"].append(f"{name}\tnumber {k}")
            lines["covost.tsv"].append(f"{name}\tnumber {k}\t{split}")
            lines["cv/validated.tsv"].append(f"spk{k}\t{name}\tnúmero {k}")
    for name, text in lines.items():
        (root / name).write_text("\n".join(text) + "\n", encoding="utf-8")
    return root


@pytest.fixture
def corpus(whole, tmp_path) -> Path:
    return Path(shutil.copytree(whole, tmp_path / "corpus"))


def change(path: Path, start: str, line: str | None) -> None:
    """Put `line` in place of those that begin with `start`; None: leave them out."""
    lines = path.read_text(encoding="utf-8").splitlines()
    new = [line if text.startswith(start) else text for text in lines]
    kept = [text for text in new if text is not None]
    path.write_text("\n".join(kept) + "\n", encoding="utf-8")


def run(root: Path, split: str, *more: str) -> int:
    words = f"data --common_voice {root}/cv --covost {root}/covost.tsv --src_lang es"
    words += f" --cvss {root}/cvss --split {split} --data_dir {root}/data/{split}"
    return main([*words.split(), "--audio_dir", f"{root}/audio/{split}", *more])


def dropped(root: Path) -> dict[str, str]:
    lines = (root / "data" / "train" / "dropped.tsv").read_text().splitlines()
    return dict(line.split("\t") for line in lines)


@pytest.mark.parametrize(
    ("name", "start", "line", "reason"),
    [
        ("covost.tsv", "train3", None, "not in CoVoST: "),
        ("covost.tsv", "train3", "train3.mp3\tx\ttrain\tmore", "covost.tsv:5: 4 colum"),
        ("covost.tsv", "train3", "train3.mp3\tx\ttest", "belongs to 'test' in"),
        ("cv/validated.tsv", "spk3\ttrain3", None, "not in Common Voice: "),
        ("cv/validated.tsv", "spk3\ttrain3", "spk3\tx", "validated.tsv has no train3"),
        ("cvss/train.tsv", "train3", "train3.mp3\ta\tb", "train.tsv:4: 3 columns"),
        ("cvss/train.tsv", "train3", "train3.mp3", "train.tsv:4: 1 columns"),
        ("cvss/train.tsv", "train3", "train3.mp3\ta\tb\\", "train.tsv:4: 3 columns"),
        ("cvss/train.tsv", "train3", "a b.mp3\tx", "train.tsv:4: 'a b.mp3' is no id"),
        ("cvss/train.tsv", "train3", f"{300 * 'x'}.mp3\tx", "train.tsv:4: 'xxx"),
    ],
)
def test_a_row_of_train_is_dropped_with_its_reason(corpus, name, start, line, reason):
    change(corpus / name, start, line)
    assert run(corpus, "train", "--max_drop_rate", "0.1") == 0
    ((_, written),) = dropped(corpus).items()
    assert reason in written
    counts = read_json(corpus / "data" / "train" / "stage.json")["counts"]
    assert (counts["in"], counts["out"]) == (10, 9)


def test_above_the_limit_it_fails_and_names_rows_not_a_version(corpus, capsys):
    change(corpus / "covost.tsv", "train3", None)
    change(corpus / "cv" / "validated.tsv", "spk5\ttrain5", None)
    assert run(corpus, "train") == 1
    error = capsys.readouterr().err
    assert "2 of 10 utterances of train are unusable" in error
    assert f"train3: not in CoVoST: {corpus}/covost.tsv has no train3.mp3" in error
    assert "train5: no audio, not in Common Voice: " in error
    assert "version 4" not in error


def test_a_version_is_suspected_where_half_is_missing(corpus, capsys):
    for k in range(5):
        change(corpus / "cv" / "validated.tsv", f"spk{k}\ttrain{k}", None)
    assert run(corpus, "train", "--max_drop_rate", "0.9") == 1
    error = capsys.readouterr().err
    assert "5 of 10 clips of" in error and "Common Voice version 4" in error


def test_a_clip_of_test_that_is_not_in_covost_stays_as_it_is(corpus):
    change(corpus / "covost.tsv", "test3", None)
    assert run(corpus, "test", "--max_missing_rate", "0") == 0
    data = kaldi.DataDir(corpus / "data" / "test")
    assert len(data.texts("es")) == 10 and data.silent("es") == set()
    assert data.faults("es")["test3"].startswith("not in CoVoST: ")
    assert data.faults("es")["test3"].endswith("test.tsv:4")


@pytest.mark.parametrize("line", [None, "spk3\ttest3.mp3"])
def test_a_clip_of_test_that_is_not_validated_is_kept_with_silence(corpus, line):
    change(corpus / "cv" / "validated.tsv", "spk3\ttest3", line)
    assert run(corpus, "test") == 1  # more than --max_missing_rate
    assert run(corpus, "test", "--max_missing_rate", "0.1") == 0
    data = kaldi.DataDir(corpus / "data" / "test")
    assert data.silent("es") == {"test3"} and data.texts("es")["test3"] == ""
    assert not audio.read(data.wavs("es")["test3"]).any()
    assert data.texts("en")["test3"] == "number 3" and not data.faults("en")


@pytest.mark.parametrize(
    ("name", "line", "message"),
    [
        ("cvss/test.tsv", "test3.mp3", "test.tsv:4: 1 columns, not 2"),
        ("cvss/test.tsv", "a b.mp3\tx", "'a b.mp3' is no id"),
        ("covost.tsv", "test3.mp3\tx\ttrain", "belongs to 'train' in"),
    ],
)
def test_a_row_without_which_the_test_set_is_another_is_an_error(
    corpus, name, line, message, capsys
):
    change(corpus / name, "test3", line)
    assert run(corpus, "test", "--max_missing_rate", "1") == 1
    assert message in capsys.readouterr().err


def test_a_higher_drop_rate_asks_for_nothing_to_be_made_anew(corpus, capsys):
    change(corpus / "covost.tsv", "train3", None)
    assert run(corpus, "test") == 0 and run(corpus, "train") == 1
    assert run(corpus, "test", "--max_drop_rate", "0.2") == 0
    assert run(corpus, "train", "--max_drop_rate", "0.2") == 0
    assert "test is up to date, skipped" in capsys.readouterr().out
