"""One and two ranks (gloo) compute the same, and one carries on what the other began.

Everything is done by the commands themselves, on two ranks under torchrun.
"""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from s2st_interleave import keyed
from s2st_interleave.__main__ import main
from s2st_interleave.artifact import open_stage, write_json
from s2st_interleave.config import RunOptions
from s2st_interleave.data import audio, kaldi
from s2st_interleave.interleave import dump
from s2st_interleave.train import checkpoint
from s2st_interleave.train.batches import chunks, share
from s2st_interleave.units import store

STEPS, HALF = 4, 2
LOOP = {
    "max_steps": STEPS,
    "save_every": 1,
    "eval_every": 2,
    "keep_last": STEPS,
    "device": "cpu",
    "num_threads": 1,
}
W2V_BERT = {
    "model_type": "wav2vec2-bert",
    "feature_projection_input_dim": 320,
    "hidden_size": 16,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "intermediate_size": 32,
    "conv_depthwise_kernel_size": 3,
    "initializer_range": 0.08,
    "hidden_dropout": 0.0,
    "attention_dropout": 0.0,
    "activation_dropout": 0.0,
    "feat_proj_dropout": 0.0,
    "final_dropout": 0.0,
    "conformer_conv_dropout": 0.0,
}
EXTRACTOR = {
    "feature_extractor_type": "SeamlessM4TFeatureExtractor",
    "feature_size": 80,
    "num_mel_bins": 80,
    "padding_value": 0.0,
    "sampling_rate": 16_000,
    "stride": 4,
}
WORLD = {
    "backend": "world",
    "embedding_dim": 8,
    "unit_channels": 16,
    "num_unit_blocks": 1,
    "frame_channels": 8,
    "num_frame_blocks": 1,
    "num_cepstra": 10,
    "crop_units": 12,
}
HIFIGAN = {
    "backend": "hifigan",
    "embedding_dim": 8,
    "channels": 16,
    "upsample_scales": "8 5 4 4",
    "resblock_kernel_sizes": "3",
    "resblock_dilations": "1 3",
    "discriminator_channels": 16,
    "max_discriminator_channels": 16,
    "period_channels": 2,
    "crop_units": 2,
    "log_every": 1,
}
# Name of a run -> command and options. Dropout is off, optimizer steps are small: Adam's
# first ones are signs of gradients, which rounding may turn where they are nothing.
COMMON = {"lr": 1e-4, "batch_size": 8, "accum_grad": 3}
RUNS = {
    "llm": ("train", COMMON | {"attention_dropout": 0, "text_ratio_every": 1}),
    "encoder": ("encoder", COMMON | {"scratch": "true", "num_pieces": 20}),
    "world": ("vocoder", COMMON | WORLD),
    "hifigan": ("vocoder", COMMON | HIFIGAN),
}
PARALLEL = [(n, how) for n in ("llm", "encoder", "world") for how in ("ddp", "fsdp")]
PARALLEL.append(("hifigan", "ddp"))


@pytest.fixture(scope="module")
def corpus(tmp_path_factory, text_llm: Path, small_dump: dump.Dump) -> Path:
    """Data, units and dump of a few made utterances, as finished stages leave them."""
    root = tmp_path_factory.mktemp("ranks")
    write_json(root / "w2v_bert" / "config.json", W2V_BERT)
    write_json(root / "w2v_bert" / "preprocessor_config.json", EXTRACTOR)
    utterances = [small_dump[i] for i in range(len(small_dump))]
    for split, count in (("train", 10), ("dev", 5)):
        make_split(root, split, [one.tgt for one in utterances[:count]])
        directory = root / "dump" / split
        with Finished(directory, "dump"):
            dump.write(directory, utterances, small_dump.vocabulary)
    (root / "llm").symlink_to(text_llm)
    return root


class Finished:
    """A stage directory around whatever is written inside."""

    def __init__(self, directory: Path, stage: str, **facts):
        self.facts = facts
        self.stage = open_stage(
            directory, stage=stage, options=RunOptions(), inputs={}
        )

    def __enter__(self):
        return self

    def __exit__(self, *error):
        self.stage.finish(num_in=1, num_out=1, **self.facts)


def make_split(root: Path, split: str, sides: list) -> None:
    data_dir, units_dir = root / "data" / split, root / "units" / split
    wavs, texts, units = {}, {}, {}
    for number, side in enumerate(sides):
        utterance = f"utt{number:02d}"
        drawn = keyed.generator(split, number).integers(6, size=5)
        units[utterance] = np.repeat(drawn, 3 + number % 4).astype(np.int32)
        f0 = np.repeat(110 * 2 ** (units[utterance] / 6), 640)
        phase = 2 * np.pi * np.cumsum(f0) / audio.SAMPLE_RATE
        wavs[utterance] = str(root / "audio" / split / f"{utterance}.wav")
        samples = sum(np.sin(k * phase) / k for k in range(1, 6))
        audio.write(Path(wavs[utterance]), (0.1 * samples).astype(np.float32))
        texts[utterance] = side.text
    with Finished(data_dir, "data"):
        kaldi.write_table(data_dir / "wav.scp.en", wavs)
        kaldi.write_table(data_dir / "text.en", texts)
    with Finished(units_dir, "units", num_units=6, unit_sec=0.04):
        store.write_units(units_dir / "units.en", units)


@pytest.fixture(scope="module")
def command(corpus: Path) -> Callable[..., list[str]]:
    """Words of the command of one run."""
    inputs = {
        "train": {
            "llm": corpus / "llm",
            "train_dir": corpus / "dump" / "train",
            "dev_dir": corpus / "dump" / "dev",
        },
        "encoder": {
            "encoder": corpus / "w2v_bert",
            "train_dir": corpus / "data" / "train",
            "dev_dir": corpus / "data" / "dev",
            "languages": "en",
        },
        "vocoder": {
            "data_dir": corpus / "data" / "train",
            "dev_data_dir": corpus / "data" / "dev",
            "units_dir": corpus / "units" / "train",
            "dev_units_dir": corpus / "units" / "dev",
        },
    }

    def words(name: str, out: str, **more) -> list[str]:
        stage, options = RUNS[name]
        values = LOOP | options | inputs[stage] | more | {"out_dir": corpus / out}
        return [stage, *(str(w) for k, v in values.items() for w in (f"--{k}", v))]

    return words


@pytest.fixture(scope="module")
def runs(corpus: Path, command: Callable[..., list[str]]) -> Path:
    """All runs: whole on one rank and on two, and begun on one and ended on the other."""
    todo = []
    for name in RUNS:
        assert main(command(name, f"{name} 1")) == 0
        assert main(command(name, f"{name} 1 to ddp", max_steps=HALF)) == 0
    for name, how in PARALLEL:
        two = {"parallel": how}
        todo.append(command(name, f"{name} {how}", **two))
        todo.append(command(name, f"{name} {how} to 1", **two, max_steps=HALF))
    for name in RUNS:
        todo.append(command(name, f"{name} 1 to ddp"))
    torchrun(corpus, todo)
    for name, how in PARALLEL:
        assert main(command(name, f"{name} {how} to 1")) == 0
    return corpus


def torchrun(corpus: Path, commands: list[list[str]]) -> None:
    """Many commands by one pair of processes: most of their time is imports."""
    script = corpus / "commands.py"
    script.write_text(
        "import json, sys\n"
        "from s2st_interleave.__main__ import main\n"
        "for words in json.loads(sys.argv[1]):\n"
        "    code = main(words)\n"
        "    if code:\n"
        "        sys.exit(code)\n"
    )
    words = ["-m", "torch.distributed.run", "--standalone", "--nproc_per_node", "2"]
    done = subprocess.run(
        [sys.executable, *words, str(script), json.dumps(commands)],
        env=os.environ | {"OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def lines(run: Path) -> list[dict[str, float]]:
    texts = (run / "metrics.jsonl").read_text().splitlines()
    return [{k: v for k, v in json.loads(t).items() if k != "sec"} for t in texts]


def assert_same_metrics(one: Path, two: Path) -> None:
    assert len(lines(one)) == STEPS
    for a, b in zip(lines(one), lines(two), strict=True):
        assert b == pytest.approx(a, rel=1e-5)


@pytest.mark.parametrize(("name", "how"), PARALLEL)
def test_losses_and_norms_are_those_of_one_rank(runs, name, how):
    assert_same_metrics(runs / f"{name} 1", runs / f"{name} {how}")


@pytest.mark.parametrize(("name", "how"), PARALLEL)
def test_weights_are_those_of_one_rank(runs, name, how):
    one, two = (
        load_file(checkpoint.path(runs / f"{name} {end}", STEPS) / "model.safetensors")
        for end in ("1", how)
    )
    assert one.keys() == two.keys()
    for key in one:
        torch.testing.assert_close(two[key], one[key], rtol=1e-5, atol=2e-6)
