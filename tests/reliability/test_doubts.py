"""Units that collapse and answers that loop, made by real stages, are told in their logs."""

from pathlib import Path

import numpy as np
import pytest
import tiny_recipe

from s2st_interleave.__main__ import main
from s2st_interleave.data import audio, kaldi
from s2st_interleave.interleave import dump
from s2st_interleave.interleave.segments import Side
from s2st_interleave.interop import import_data
from s2st_interleave.stage_dir import open_stage
from s2st_interleave.stages.dump import Options as DumpOptions

pytestmark = pytest.mark.nightly
SECONDS, NUM_WORDS = 8, 20
CPU = ("--device", "cpu", "--num_threads", "1")


def logged(root: Path, python: Path, *words: object) -> str:
    """The log of a command of the package, as a recipe runs it."""
    log = root / f"{words[0]}.log"
    job = [str(python), "-m", "s2st_interleave", *map(str, words), *CPU]
    assert main(["launch", str(log), *job]) == 0
    return log.read_text()


def steady_speech(root: Path) -> Path:
    """Recordings of one steady tone: each frame is like any other."""
    place = root / "steady"
    time = np.arange(SECONDS * audio.SAMPLE_RATE) / audio.SAMPLE_RATE
    for side in ("es", "en"):
        wavs = {name: place / f"{name}.{side}.wav" for name in tiny_recipe.IDS}
        for wav in wavs.values():
            audio.write(wav, (0.1 * np.sin(200 * np.pi * time)).astype(np.float32))
        kaldi.write_table(
            place / f"wav.scp.{side}", {k: str(v) for k, v in wavs.items()}
        )
        kaldi.write_table(place / f"text.{side}", dict.fromkeys(wavs, "la casa"))
    folders = {"data_dir": place / "data", "audio_dir": place / "audio"}
    kaldi_dirs = {"src_dir": place, "tgt_dir": place}
    import_data.run(
        import_data.Options(**kaldi_dirs, **folders, split="train", src_lang="es")
    )
    return place / "data"


def test_units_of_steady_audio_collapse_and_the_log_says_so(
    tmp_path, text_llm, python, count
):
    tiny_recipe.make(tmp_path, text_llm)
    exp = tmp_path / "exp"
    models = ("--encoder", exp / "encoder", "--kmeans", exp / "kmeans")
    folders = ("--data_dir", steady_speech(tmp_path), "--out_dir", tmp_path / "units")
    log = logged(tmp_path, python, "units", *models, *folders)
    (line,) = [line for line in log.splitlines() if "warning: " in line]
    assert "units have collapsed: " in line and "of 20 are used" in line
    healthy = ("--data_dir", tmp_path / "data", "--out_dir", tmp_path / "others")
    assert "warning: " not in logged(tmp_path / "b", python, "units", *models, *healthy)
    count("collapse", warned=1, healthy=1)


def repeating_dump(folder: Path) -> Path:
    """Utterances of one word, over and over."""
    ends = np.arange(1, NUM_WORDS + 1, dtype=np.int32)
    spans = np.stack([ends - 1, ends], axis=1)
    side = Side(ends % 20, ("gato",) * NUM_WORDS, spans)
    utterances = [dump.Utterance(f"u{k}", {"src": side, "tgt": side}) for k in range(8)]
    options = DumpOptions(align_dir=folder, units_dir=folder, out_dir=folder)
    stage = open_stage(folder, stage="dump", options=options, inputs={})
    (folder / "sides").write_text("src es\ntgt en\n")
    dump.write(folder, utterances, dump.UnitVocabulary(20, 0.04))
    stage.finish(num_in=8, num_out=8)
    return folder


def test_an_llm_that_learned_to_repeat_loops_and_the_log_says_so(
    tmp_path, text_llm, python
):
    made, out = repeating_dump(tmp_path / "dump"), tmp_path / "exp/parrot"
    steps = "--max_steps 40 --eval_every 40 --save_every 40 --lr 1e-2 --batch_size 8"
    folders = ("--llm", text_llm, "--train_dir", made, "--dev_dir", made)
    limits = ("--max_text_tokens", "60", "--max_unit_ratio", "1.2")
    logged(tmp_path, python, "train", *steps.split(), *folders, "--out_dir", out)
    places = ("--train_dir", out, "--dump_dir", made, "--out_dir", out / "last/test")
    log = logged(tmp_path, python, "decode", *places, *limits)
    (line,) = [line for line in log.splitlines() if "warning: " in line]
    assert "_text loops in 8 of 8 answers (u0 (and 7 more)" in line
    assert "gato gato gato" in (out / "last/test/text.tgt").read_text()
