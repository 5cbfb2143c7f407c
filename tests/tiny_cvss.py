"""A user's copy of egs/cvss with a damaged little corpus and tiny models of the real kinds."""

import shutil
import subprocess
import sys
import tarfile
from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parents[1]
SIZES = "--num_train 24 --num_dev 4 --num_test 5 --num_text 60".split()
SCRATCH = {"max_steps": 8, "eval_every": 8, "save_every": 8, "batch_size": 4}
TINY = {
    "data": {"max_drop_rate": 0.1, "max_missing_rate": 0.3, "audio_format": "ark"},
    "encoder": SCRATCH
    | {
        "scratch": True,
        "num_pieces": 60,
        "lr": 1e-3,
        "accum_grad": 1,
        "warmup_steps": 2,
    },
    "align": {"min_median_score": None, "min_score": None},  # it hears nothing
    "kmeans": {"layer": 3, "num_units": 20, "num_utterances": 16},
    "train": SCRATCH
    | {"text_ratio_every": 1, "accum_grad": 2, "lr": 1e-3, "warmup_steps": 2},
    "decode": {
        "batch_size": 8,
        "max_text_tokens": 8,
        "max_unit_ratio": 1.2,
        "max_units_per_token": 4.0,
    },
    "vocoder": SCRATCH
    | {
        "backend": "hifigan",
        "hifigan": {
            "embedding_dim": 16,
            "channels": 32,
            "upsample_scales": [8, 5, 4, 4],
            "resblock_kernel_sizes": [3],
            "resblock_dilations": [1, 3],
            "discriminator_channels": 16,
            "max_discriminator_channels": 32,
            "period_channels": 4,
            "crop_units": 3,
        },
        "num_dev": 2,
    },
    "score": {"compute_type": "float32", "num_resamples": 50},
}


def copy_recipes(root: Path, text_llm: Path, *more_sources: str) -> Path:
    """egs of a copy in `root` whose db.sh and conf/ name what is tiny.

    Portuguese is there, damaged, and `more_sources` as they are made.
    """
    ignored = shutil.ignore_patterns("downloads", "data", "dump", "exp", "shared")
    shutil.copytree(ROOT / "egs", root / "egs", ignore=ignored)
    shutil.copytree(ROOT / "tools", root / "tools")
    corpus, whisper = make_corpus(root), root / "whisper-tiny.en"
    for source in more_sources:
        add_source(corpus, source)
    fetch = [sys.executable, ROOT / "tools" / "fetch_whisper.py", "--out", whisper]
    subprocess.run(fetch, check=True)
    places = {
        "COMMON_VOICE": corpus / "cv-corpus-4-2019-12-10",
        "COVOST": corpus,
        "CVSS": corpus,
        "SOURCES": " ".join(("pt", *more_sources)),
        "ENCODER": root / "egs" / "mini_cvss" / "conf" / "w2v_bert",
        "LLM": text_llm,
        "ASR": whisper,
    }
    lines = [f'{name}="{place}"\n' for name, place in places.items()]
    (root / "egs" / "cvss" / "db.sh").write_text("".join(lines))
    for name, options in TINY.items():
        path = root / "egs" / "cvss" / "conf" / f"{name}.yaml"
        path.write_text(yaml.safe_dump(options))
    return root / "egs"


def make_corpus(root: Path) -> Path:
    """Portuguese and English, then damaged; CVSS as an archive, the rest unpacked."""
    corpus = root / "the corpora"
    synthesise("pt", corpus)
    clips = corpus / "cv-corpus-4-2019-12-10" / "pt" / "clips"
    (clips / "common_voice_pt_3000000.mp3").write_bytes(b"<html>404</html>")
    (clips / "common_voice_pt_2000001.mp3").write_bytes(b"<html>404</html>")
    make_variable(clips / "common_voice_pt_3000001.mp3")
    covost = corpus / "covost_v2.pt_en.tsv"
    covost.write_bytes(b"\xef\xbb\xbf" + covost.read_bytes().replace(b"\n", b"\r\n"))
    cvss = corpus / "cvss_c_pt_en_v1.0"
    with tarfile.open(f"{cvss}.tar.gz", "w:gz") as tar:
        tar.add(cvss, arcname=".")
    shutil.rmtree(cvss)
    return corpus


def synthesise(source: str, out: Path) -> None:
    script = ROOT / "egs" / "mini_cvss" / "local" / "make_corpus.py"
    command = [sys.executable, script, "--src", source, "--out", out, *SIZES]
    subprocess.run(command, check=True)


def add_source(corpus: Path, source: str) -> None:
    made = corpus.parent / f"{source} alone"
    synthesise(source, made)
    for name in (
        f"cv-corpus-4-2019-12-10/{source}",
        f"covost_v2.{source}_en.tsv",
        f"cvss_c_{source}_en_v1.0",
    ):
        (made / name).rename(corpus / name)


def make_variable(mp3: Path) -> None:
    """Half a second of silence in front; no frame says how long the clip is."""
    import numpy as np
    import soundfile

    samples, rate = soundfile.read(mp3)
    samples = np.concatenate([np.zeros(rate // 2), samples])
    soundfile.write(mp3, samples, rate, format="MP3", bitrate_mode="VARIABLE")
    data = mp3.read_bytes()
    mp3.write_bytes(data[data.index(b"\xff\xfb", 4) :])
