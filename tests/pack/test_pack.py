"""A packed folder says what the stages said; a damaged or mixed one is refused."""

import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import soundfile

from s2st_interleave.data import audio, kaldi
from s2st_interleave.files import read_json
from s2st_interleave.interop import import_data
from s2st_interleave.pack import command, folder
from s2st_interleave.pack.translator import Translator, read_recording
from s2st_interleave.stages import (
    align,
    decode,
    dump,
    encoder,
    kmeans,
    train,
    units,
    vocode,
    vocoder,
)
from s2st_interleave.units import store
from s2st_interleave.vocoder import world

ROOT = Path(__file__).resolve().parents[2]
TINY = ROOT / "egs" / "mini_cvss" / "conf" / "w2v_bert"
CPU = {"device": "cpu", "num_threads": 1}
pytestmark = pytest.mark.slow  # all stages, with very little of everything


@pytest.fixture(scope="module")
def recipe(tmp_path_factory, text_llm) -> Path:
    """Stages 1 to 8 on four noises: data/, dump/ and exp/ below it."""
    root = tmp_path_factory.mktemp("a user's recipe")
    make_data(root)
    exp, split = root / "exp", {"data_dir": root / "data"}
    encoder.run(
        encoder.Options(
            encoder=TINY,
            scratch=True,
            train_dir=(root / "data",),
            dev_dir=(root / "data",),
            out_dir=exp / "encoder",
            num_pieces=24,
            max_steps=2,
            batch_size=4,
            **CPU,
        )
    )
    shared = {"encoder": exp / "encoder", **split, **CPU}
    align.run(
        align.Options(
            **shared, out_dir=root / "dump/align", drop=False, min_median_score=None
        )
    )
    kmeans.run(
        kmeans.Options(
            **shared | {"data_dir": (root / "data",)},
            out_dir=exp / "kmeans",
            layer=2,
            num_units=20,
        )
    )
    units.run(
        units.Options(**shared, kmeans=exp / "kmeans", out_dir=root / "dump/units")
    )
    dump.run(
        dump.Options(
            align_dir=root / "dump/align",
            units_dir=root / "dump/units",
            out_dir=root / "dump/interleave",
        )
    )
    train.run(
        train.Options(
            llm=text_llm,
            train_dir=(root / "dump/interleave",),
            dev_dir=(root / "dump/interleave",),
            out_dir=exp / "scheduled",
            max_steps=3,
            batch_size=4,
            lr=1e-2,
            **CPU,
        )
    )
    decode.run(
        decode.Options(
            train_dir=exp / "scheduled",
            dump_dir=root / "dump/interleave",
            out_dir=exp / "scheduled/greedy_last/test",
            max_text_tokens=6,
            max_unit_ratio=1.2,
            **CPU,
        )
    )
    vocoder.run(
        vocoder.Options(
            backend="world",
            data_dir=(root / "data",),
            dev_data_dir=(root / "data",),
            units_dir=(root / "dump/units",),
            dev_units_dir=(root / "dump/units",),
            out_dir=exp / "vocoder",
            max_steps=2,
            batch_size=2,
            world=world.Options(crop_units=8),
            **CPU,
        )
    )
    vocode.run(
        vocode.Options(
            units_dir=exp / "scheduled/greedy_last/test",
            vocoder=exp / "vocoder",
            out_dir=exp / "scheduled/greedy_last/test/vocode",
            **CPU,
        )
    )
    return root


def make_data(root: Path) -> None:
    """Stage 1, from 44.1 kHz stereo recordings in a Kaldi directory."""
    rng = np.random.default_rng(0)
    kaldi_dir = root / "recordings"
    kaldi_dir.mkdir()
    texts = {"es": "La casa roja.", "en": "the red house"}
    for language, text in texts.items():
        wavs = {f"u{i}": kaldi_dir / f"u{i}.{language}.wav" for i in range(4)}
        for number, wav in enumerate(wavs.values()):
            noise = 0.1 * rng.standard_normal((44_100 + 4000 * number, 2))
            soundfile.write(wav, noise, 44_100, subtype="FLOAT")
        paths = {k: str(wav) for k, wav in wavs.items()}
        kaldi.write_table(kaldi_dir / f"wav.scp.{language}", paths)
        kaldi.write_table(kaldi_dir / f"text.{language}", dict.fromkeys(wavs, text))
    import_data.run(
        import_data.Options(
            src_dir=kaldi_dir,
            tgt_dir=kaldi_dir,
            split="train",
            src_lang="es",
            data_dir=root / "data",
            audio_dir=root / "dump/audio",
        )
    )


@pytest.fixture(scope="module")
def options(recipe) -> command.Options:
    exp = recipe / "exp"
    return command.Options(
        encoder=exp / "encoder",
        kmeans=exp / "kmeans",
        units_dir=recipe / "dump/units",
        dump_dir=recipe / "dump/interleave",
        train_dir=exp / "scheduled",
        decode_dir=exp / "scheduled/greedy_last/test",
        vocoder=exp / "vocoder",
        out_dir=recipe.parent / "the packed folder",
    )


@pytest.fixture(scope="module")
def packed(options) -> Path:
    command.run(options)
    return options.out_dir


def test_it_says_what_the_stages_said_from_the_original_recording(recipe, packed):
    model = Translator.load(packed)
    out = recipe / "exp/scheduled/greedy_last/test"
    transcripts = kaldi.read_table(out / "text.src")
    translations = kaldi.read_table(out / "text.tgt")
    decoded = store.read_units(out / "units.tgt")
    for utterance, wav in kaldi.read_table(out / "vocode/wav.scp").items():
        original = recipe / "recordings" / f"{utterance}.es.wav"
        samples = read_recording(original, min_sec=0.3, max_sec=30.0)
        spoken = model.translate(samples)
        assert spoken.texts["src_text"] == transcripts[utterance]
        assert spoken.texts["tgt_text"] == translations[utterance]
        assert np.array_equal(spoken.units["tgt_speech"], decoded[utterance])
        again = packed.parent / "again.wav"
        audio.write(again, spoken.samples, model.sample_rate)
        assert again.read_bytes() == Path(wav).read_bytes()


def test_the_command_line_without_the_recipe(recipe, packed, python, tmp_path):
    """The folder moves to another machine, where only the package is."""
    moved = tmp_path / "a model's folder"
    shutil.copytree(packed, moved)
    (moved / "stage.json").unlink()
    recording = tmp_path / "in put.mp3"
    rng = np.random.default_rng(3)
    soundfile.write(recording, 0.1 * rng.standard_normal((12_000, 1)), 8_000)
    out = tmp_path / "out.wav"
    words = ["--model", str(moved), str(recording), "--out", str(out)]
    run = [python, "-m", "s2st_interleave", "translate", *words]
    done = subprocess.run(
        [*run, "--device", "cpu"], capture_output=True, text=True, cwd=ROOT
    )
    assert done.returncode == 0, done.stderr
    assert f"{recording} -> {out}" in done.stdout and "  en: " in done.stdout
    assert len(audio.read(out)) > 0
    again = subprocess.run(run, capture_output=True, text=True, cwd=ROOT)
    assert again.returncode == 1
    assert f"error: translate: {out} exists" in again.stderr


def test_it_holds_no_state_of_training_and_what_its_user_has_to_know(packed, text_llm):
    names = {str(p.relative_to(packed)) for p in packed.rglob("*") if p.is_file()}
    kept = {"LICENSE", "THIRD_PARTY.md", "NOTICE", "pack.json", "config.yaml"}
    assert kept <= names
    left = ("optimizer.pt", "meta.json", "metrics.jsonl", "run.sh")
    assert not [name for name in names if name.endswith(left)]
    text = (packed / "NOTICE").read_text()
    assert text_llm.name in text and "w2v_bert" in text
    sums = (packed / "SHA256SUMS").read_text().splitlines()
    assert {line.split("  ")[1] for line in sums} == names - folder.OUTSIDE


def test_the_llm_loads_as_a_plain_one(packed):
    from transformers import AutoModelForCausalLM, AutoTokenizer

    model = AutoModelForCausalLM.from_pretrained(packed / "llm")
    tokenizer = AutoTokenizer.from_pretrained(packed / "llm")
    assert len(tokenizer("la casa").input_ids) and model.config.vocab_size > 20


@pytest.mark.parametrize("damage", ["changed", "missing", "added", "unpacked"])
def test_a_damaged_folder_is_refused(packed, tmp_path, damage):
    copy = tmp_path / "copy"
    shutil.copytree(packed, copy)
    weights = copy / "vocoder" / "model.safetensors"
    if damage == "changed":
        data = bytearray(weights.read_bytes())
        data[-1] ^= 1
        weights.write_bytes(data)
        message = r"vocoder.model.safetensors is not what was packed"
    elif damage == "missing":
        weights.unlink()
        message = r"vocoder.model.safetensors is missing"
    elif damage == "added":
        (copy / "llm" / "adapter_config.json").write_text("{}")
        message = r"adapter_config.json is not listed"
    else:
        (copy / "SHA256SUMS").unlink()
        message = "no packed model here"
    with pytest.raises(ValueError, match=message):
        Translator.load(copy)


def test_parts_of_different_recipes_are_not_packed(options, tmp_path):
    other = tmp_path / "kmeans"
    shutil.copytree(options.kmeans, other)
    done = (other / "stage.json").read_text()
    outputs = read_json(other / "stage.json")["outputs"]
    (other / "stage.json").write_text(done.replace(outputs, "0" * 64))
    wrong = replace(options, kmeans=other, out_dir=tmp_path / "out")
    with pytest.raises(ValueError, match=r"dump.units was not made with .*kmeans"):
        command.run(wrong)
    assert not (tmp_path / "out").exists()


def test_packed_again_nothing_is_done(options, packed, capsys):
    before = (packed / "SHA256SUMS").stat().st_mtime_ns
    command.run(options)
    assert "up to date, skipped" in capsys.readouterr().out
    assert (packed / "SHA256SUMS").stat().st_mtime_ns == before
