"""Stage 9's recogniser: batches against one recording a time, and shorter windows.

Whisper tiny.en, on sentences that flite speaks, half of them in noise. The counts are texts
that differ. S2ST_UTTERANCES=120 takes more of them (24).
"""

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from unittest import mock

import numpy as np

from benchmarks.measure import Row, figure, side_by_side
from s2st_interleave.score.asr import AsrOptions, transcribe

ROOT = Path(__file__).parents[2]
WHO = "Anna,Peter,the teacher,my brother,a woman,the old man".split(",")
DOES = "buys,sees,wants,carries,has lost,is looking for".split(",")
WHAT = "three apples,the green door,a ticket to Madrid,no bread,her keys".split(",")
WHERE = "at the market,near the station,in the evening,behind the school".split(",")
MARGIN = 500  # frames of 0.01 s behind the end of a recording


def rows() -> Iterator[Row]:
    weights = _weights()
    if not weights or not shutil.which("flite"):
        print("recognition: skipped: it wants flite and the weights of Whisper tiny.en")
        return
    count = int(os.environ.get("S2ST_UTTERANCES", "24"))
    with tempfile.TemporaryDirectory() as name:
        wavs = _speech(Path(name), count)
        one = AsrOptions(str(weights), device="cpu", num_workers=2, batch_size=16)
        one = replace(one, backend="faster-whisper")
        batched = replace(one, backend="transformers")
        alone = replace(batched, batch_size=1)
        yield side_by_side(
            f"Whisper tiny.en, {count} recordings",
            "faster-whisper, 2 workers",
            lambda: transcribe(wavs, batched),
            lambda: transcribe(wavs, one),
            amount=count,
            unit="recordings/s",
            repeats=2,
        )
        texts = {o: transcribe(wavs, o) for o in (one, batched, alone)}
        yield _differing(
            "batches of 16 against faster-whisper", texts[batched], texts[one]
        )
        yield _differing("batches of 16 against 1", texts[batched], texts[alone])
        heard: dict[str, str] = {}

        def short() -> None:
            heard.update(_at_true_length(wavs, batched))

        yield side_by_side(
            "windows that end 5 s behind the recording",
            "windows of 30 s, Whisper's own",
            short,
            lambda: transcribe(wavs, batched),
            amount=count,
            unit="recordings/s",
            repeats=1,
        )
        yield _differing("windows of that length against 30 s", heard, texts[batched])


def _differing(what: str, ours: dict[str, str], other: dict[str, str]) -> Row:
    differing = sum(ours[key] != other[key] for key in other)
    return figure(f"texts that differ: {what}", "all", differing, len(other), "texts")


def _at_true_length(wavs: dict[str, Path], options: AsrOptions) -> dict[str, str]:
    """Texts by windows that end 5 s behind the longest recording of a batch."""
    import torch

    from s2st_interleave.score import whisper_batched as batched
    from s2st_interleave.score import whisper_weights
    from s2st_interleave.score.asr import batches

    whisper = whisper_weights.load(options.model, torch.float32)
    generate = batched._generator(whisper, options.whisper_code)
    read = batched._reader(whisper, wavs)
    encoder = whisper.model.get_encoder()
    positions = encoder.embed_positions.weight
    texts: dict[str, str] = {}
    torch.set_num_threads(options.num_workers)
    for group in batches(wavs, options):
        spectra = [read(utterance) for utterance in group]
        frames = max(spectrum.shape[1] for spectrum in spectra) + MARGIN
        num_positions = min(-(-frames // 2), len(positions))
        encoder.config.max_source_positions = num_positions
        encoder.embed_positions = torch.nn.Embedding.from_pretrained(
            positions[:num_positions]
        )
        with mock.patch.object(batched, "WINDOW", 2 * num_positions):
            heard = batched._texts(whisper, spectra, generate)
        texts |= dict(zip(group, heard, strict=True))
    return texts


def _weights() -> Path | None:
    """A folder with tiny.en, fetched by its hash where it is not there; None without."""
    named = os.environ.get("S2ST_WHISPER")
    if named:
        return Path(named)
    folder = ROOT / "build" / "whisper-tiny.en"
    fetch = [sys.executable, ROOT / "tools/fetch_whisper.py", "--out", folder]
    done = subprocess.run(fetch, stdout=sys.stderr, check=False)
    return folder if done.returncode == 0 else None


def _speech(folder: Path, count: int) -> dict[str, Path]:
    """Sentences that flite speaks; every other one in noise of 3 dB, a part cut out."""
    from s2st_interleave.data import audio

    generator = np.random.default_rng(1)
    wavs = {f"u{k:03}": folder / f"u{k:03}.wav" for k in range(count)}
    for k, path in enumerate(wavs.values()):
        words = [generator.choice(part) for part in (WHO, DOES, WHAT, WHERE)]
        spoken = ["flite", "-voice", "slt", "-t", " ".join(words), "-o", str(path)]
        subprocess.run(spoken, check=True)
        samples = audio.read(path)
        if k % 2:
            noise = generator.standard_normal(len(samples)).astype(np.float32)
            samples = samples + 0.7 * float(np.std(samples)) * noise
            samples[len(samples) // 3 :][:4000] = 0
        audio.write(path, samples)
    return wavs
