"""Finished stages 1 to 8 of a tiny system, whose recordings were all heard and rated before.

Nothing is replaced: recogniser and predictor find every text and rating in the cache, by
the content of the audio, and so load no model.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from s2st_interleave.config import to_dict
from s2st_interleave.data import audio, kaldi, sides
from s2st_interleave.facts import DecodeFacts, TrainFacts
from s2st_interleave.files import file_digest
from s2st_interleave.interleave.layout import S2ST, Layout
from s2st_interleave.record import digest
from s2st_interleave.score.asr import AsrOptions, describe
from s2st_interleave.stage_dir import open_stage

SIDES = {"src": "es", "tgt": "en"}
SOURCE = {
    "u0": "la casa roja está en la colina",
    "u1": "mi hermano come pan y queso",
    "u2": "el tren sale a las nueve",
    "u3": "no sé dónde vive la doctora",
    "u4": "compramos siete manzanas verdes",
    "u5": "ayer llovió durante todo el día",
}
TARGET = {
    "u0": "the red house is on the hill",
    "u1": "my brother eats bread and cheese",
    "u2": "the train leaves at nine",
    "u3": "i do not know where the doctor lives",
    "u4": "we bought seven green apples",
    "u5": "yesterday it rained all day long",
}
WRITTEN = {
    "src": SOURCE | {"u1": "mi hermana come pan", "u4": "compramos manzanas"},
    "tgt": TARGET | {"u1": "my sister eats bread and cheese", "u3": "i do not know"},
}
HEARD = TARGET | {
    "u0": "The red house is on a hill.",
    "u1": "My sister eats bread, and cheese!",
    "u2": "The train leaves at 9. " + "at nine " * 40,
    "u3": "I don't know.",
}
del HEARD["u4"]  # its answer has no units
RATED = {"u0": 3.9, "u1": 3.123456789, "u2": 1.1, "u3": 4.0 / 3, "u5": 2.7}


@dataclass(frozen=True)
class Made:
    """Options of a stage that somebody else has finished."""

    seed: int = 1
    checkpoint: str = "last"


def finished(folder: Path, stage: str, write: Any, **facts: Any) -> Path:
    opened = open_stage(folder, stage=stage, options=Made(), inputs={})
    if opened is not None:
        write(folder)
        opened.finish(num_in=6, num_out=6, **facts)
    return folder


def data_dir(root: Path, spoken: sides.Sides = SIDES) -> Path:
    """data/test, where nobody hears the source of u5."""
    source, target = spoken

    def write(folder: Path) -> None:
        data = kaldi.DataDir(folder)
        sides.write(folder, spoken)
        for side, texts in ((source, SOURCE), (target, TARGET)):
            wavs = {u: root / "audio" / side / f"{u}.wav" for u in texts}
            for number, path in enumerate(wavs.values()):
                tone(path, number, 1.2)
            kaldi.write_table(
                data.file("wav.scp", side), {u: str(path) for u, path in wavs.items()}
            )
            kaldi.write_table(data.file("text", side), texts)
            secs = {u: f"{1 + n / 10:.3f}" for n, u in enumerate(texts)}
            kaldi.write_table(data.file("utt2dur", side), secs)
        kaldi.write_table(
            data.file("faults", source), {"u5": f"{kaldi.NO_AUDIO}, {source}"}
        )

    return finished(root / "data" / "test", "data", write)


def tone(path: Path, number: int, seconds: float = 0.5) -> None:
    count = int(audio.SAMPLE_RATE * seconds * (1 + number / 10))
    samples = np.sin(np.arange(count) * (0.01 + number / 100)).astype(np.float32)
    audio.write(path, 0.1 * samples)


def recogniser(root: Path) -> Path:
    """A folder of weights that are never loaded: everything was heard before."""
    (root / "asr" / "whisper").mkdir(parents=True, exist_ok=True)
    (root / "asr" / "whisper" / "model.bin").write_bytes(b"weights")
    return root / "asr" / "whisper"


def remember(root: Path, wavs: dict[str, Path], heard: dict[str, str]) -> None:
    """Puts what was heard and how it was rated into the cache, by content."""
    from importlib.metadata import version

    made_by = [to_dict(describe(AsrOptions(model=str(recogniser(root))))), {}]
    rated_by = {"predictor": "dnsmos-p808", "speechmos": version("speechmos")}
    cache = root / "cache"
    cache.mkdir(exist_ok=True)
    for utterance, wav in wavs.items():
        content = file_digest(wav)
        text, rating = heard[utterance], repr(RATED.get(utterance, 3.0))
        for maker, kept in ((made_by, text), (rated_by, rating)):
            (cache / f"{digest([maker, content])}.txt").write_text(kept + "\n")


def vocoded(root: Path, folder: Path, heard: dict[str, str], seconds: float) -> Path:
    wavs = {u: folder / "wav" / f"{u}.wav" for u in heard}

    def write(_: Path) -> None:
        for number, path in enumerate(wavs.values()):
            tone(path, number, seconds)
        kaldi.write_table(folder / "wav.scp", {u: str(p) for u, p in wavs.items()})

    finished(folder, "vocode", write)
    remember(root, wavs, heard)
    return folder


def system(
    root: Path,
    name: str = "baseline",
    layout: str = S2ST,
    written: dict[str, dict[str, str]] = WRITTEN,
    heard: dict[str, str] = HEARD,
) -> dict[str, Any]:
    """Options of stage 9 for a system that has answered so."""
    parsed = Layout.parse(layout)
    train = finished(
        root / "exp" / name,
        "train",
        lambda _: None,
        **TrainFacts("a/last", "a/last", 9, 12345, 6.5, {"": layout}).to_json(),
    )
    decode = train / "greedy_last" / "test"

    def answer(folder: Path) -> None:
        for block in parsed.wanted:
            if block.kind == "text":
                kaldi.write_table(folder / f"text.{block.side}", written[block.side])

    facts = DecodeFacts("last", layout, num_too_long=1)
    finished(decode, "decode", answer, **facts.to_json())
    options = {
        "data_dir": data_dir(root),
        "asr": recogniser(root),
        "asr_cache": root / "cache",
        "train_dir": train,
        "decode_dir": decode,
        "out_dir": decode / "score",
        "num_resamples": 50,
    }
    if parsed.speaks:
        seconds = 0.5 + len(name) / 100
        options["vocode_dir"] = vocoded(root, decode / "vocode", heard, seconds)
    return options
