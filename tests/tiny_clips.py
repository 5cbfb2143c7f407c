"""A little corpus as CVSS and Common Voice are distributed, in folders or in archives."""

import tarfile
from pathlib import Path

import numpy as np
import soundfile

from s2st_interleave.data import audio, kaldi
from s2st_interleave.stages.data import Options

CLIPS = [f"clip{k}" for k in range(7)]


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
