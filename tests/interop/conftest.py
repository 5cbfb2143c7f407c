"""Four utterances as Kaldi keeps them, the data directory made of them, alignments."""

import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import soundfile
from kaldi_copies import change, import_split
from praatio import textgrid

from s2st_interleave.data import kaldi
from s2st_interleave.interop import import_alignments, import_data

TEXTS = {
    "es": {
        "u1": "L'Home, diu: «casa».",
        "u2": "La casa roja.",
        "u3": "Un gato - y un perro.",
        "u4": "Pan, agua...",
    },
    "en": {
        "u1": "the man says house",
        "u2": "the red house",
        "u3": "a cat and a well-known dog",
        "u4": "bread water",
    },
}
SECONDS = {"u1": 1.0, "u2": 1.5, "u3": 2.0, "u4": 0.8}


@pytest.fixture(scope="session")
def kaldi_dirs(tmp_path_factory) -> Path:
    """`es/` and `en/` below it: 24 kHz stereo recordings, text, utt2spk of the source."""
    root = tmp_path_factory.mktemp("kaldi's data")
    rng = np.random.default_rng(0)
    for language, texts in TEXTS.items():
        folder = root / language
        folder.mkdir()
        lines = {"wav.scp": "", "text": "", "utt2spk": ""}
        for utterance, text in texts.items():
            wav = folder / f"{utterance}.wav"
            count = round(24_000 * SECONDS[utterance])
            soundfile.write(wav, 0.1 * rng.standard_normal((count, 2)), 24_000)
            lines["wav.scp"] += f"{utterance} {wav}\n"
            lines["text"] += f"{utterance}\t{text}\n"
            lines["utt2spk"] += f"{utterance} spk{int(utterance[1]) % 2}\n"
        for name, text in lines.items():
            if name != "utt2spk" or language == "es":
                (folder / name).write_text(text, encoding="utf-8")
    return root


@pytest.fixture(scope="session")
def data_dir(kaldi_dirs, tmp_path_factory) -> kaldi.DataDir:
    root = tmp_path_factory.mktemp("a recipe")
    options = import_data.Options(
        src_dir=kaldi_dirs / "es",
        tgt_dir=kaldi_dirs / "en",
        src_lang="es",
        split="test",
        data_dir=root / "data" / "test",
        audio_dir=root / "dump" / "audio" / "test",
    )
    import_data.run(options)
    return kaldi.DataDir(root / "data" / "test")


# As aligners write them: lower case, no punctuation, clitics cut off.
HEARD = {
    "u1": ["l'", "home", "diu", "casa"],
    "u2": ["la", "casa", "roja"],
    "u3": ["un", "gato", "y", "un", "perro"],
    "u4": ["pan", "agua"],
}


def times(words: list[str], seconds: float) -> list[tuple[str, float, float]]:
    """Equal parts with a pause of a tenth before each."""
    width = seconds / len(words)
    return [
        (w, round(i * width + 0.1, 3), (i + 1) * width) for i, w in enumerate(words)
    ]


@pytest.fixture(scope="session")
def transcripts() -> dict[str, list[str]]:
    return HEARD


@pytest.fixture(scope="session")
def save_textgrids() -> Callable[[Path, dict, dict], Path]:
    return write_textgrids


def write_textgrids(folder: Path, seconds: dict[str, float], transcripts: dict) -> Path:
    for utterance, words in transcripts.items():
        grid = textgrid.Textgrid()
        rows = [
            (start, end, word) for word, start, end in times(words, seconds[utterance])
        ]
        phones = [(0.0, seconds[utterance], "spn")]
        for name, entries in (("words", rows), ("phones", phones)):
            grid.addTier(
                textgrid.IntervalTier(name, entries, 0, seconds[utterance] + 0.001)
            )
        path = folder / f"spk{utterance}" / f"{utterance}.TextGrid"
        path.parent.mkdir(parents=True)
        grid.save(str(path), "long_textgrid", includeBlankSpaces=True)
    return folder


def write_ctm(path: Path, seconds: dict[str, float], texts: dict[str, str]) -> Path:
    lines = [";; a comment"]
    for utterance, text in texts.items():
        for word, start, end in times(
            text.replace("-", " ").split(), seconds[utterance]
        ):
            lines.append(f"{utterance} 1 {start:.3f} {end - start:.3f} {word} 0.5")
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


@pytest.fixture
def aligned(data_dir, tmp_path) -> import_alignments.Options:
    seconds = data_dir.durations("es")
    return import_alignments.Options(
        data_dir=data_dir.path,
        src_format="textgrid",
        src_alignments=write_textgrids(tmp_path / "m f a", seconds, HEARD),
        tgt_format="ctm",
        tgt_alignments=write_ctm(tmp_path / "en.ctm", seconds, TEXTS["en"]),
        out_dir=tmp_path / "align",
    )


@pytest.fixture
def kaldi_copy(kaldi_dirs, tmp_path) -> Path:
    copy = Path(shutil.copytree(kaldi_dirs, tmp_path / "kaldi"))
    for language in ("es", "en"):
        change(copy / language / "wav.scp", str(kaldi_dirs), str(copy))
    return copy


@pytest.fixture
def train(kaldi_copy) -> kaldi.DataDir:
    assert import_split(kaldi_copy, "train") == 0
    return kaldi.DataDir(kaldi_copy.parent / "data" / "train")


@pytest.fixture
def silent(kaldi_copy) -> kaldi.DataDir:
    """A test set in which silence stands in for u4's recording, and u2 has no word."""
    (kaldi_copy / "es" / "u4.wav").unlink()
    change(kaldi_copy / "es" / "text", "La casa roja.", "...")
    assert import_split(kaldi_copy, "test", "--max_missing_rate", "0.25") == 0
    return kaldi.DataDir(kaldi_copy.parent / "data" / "test")
