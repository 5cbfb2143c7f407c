"""Small trainings of every kind, and how two ranks do them."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np

from s2st_interleave import keyed
from s2st_interleave.config import RunOptions
from s2st_interleave.data import audio, kaldi
from s2st_interleave.data import sides as sides_of
from s2st_interleave.files import write_json
from s2st_interleave.interleave import dump
from s2st_interleave.stage_dir import open_stage
from s2st_interleave.units import store

STEPS, HALF = 3, 2
HEADS = 3  # of two runs; two ranks cut the second one of them
LOOP = {
    "max_steps": STEPS,
    "save_every": 1,
    "eval_every": 2,
    "keep_last": STEPS,
    "keep_optimizer": "all",
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
    "world.embedding_dim": 8,
    "world.unit_channels": 16,
    "world.num_unit_blocks": 1,
    "world.frame_channels": 8,
    "world.num_frame_blocks": 1,
    "world.num_cepstra": 10,
    "world.crop_units": 12,
}
HIFIGAN = {
    "backend": "hifigan",
    "hifigan.embedding_dim": 8,
    "hifigan.channels": 16,
    "hifigan.upsample_scales": "8 5 4 4",
    "hifigan.resblock_kernel_sizes": "3",
    "hifigan.resblock_dilations": "1 3",
    "hifigan.discriminator_channels": 16,
    "hifigan.max_discriminator_channels": 16,
    "hifigan.period_channels": 2,
    "hifigan.crop_units": 2,
    "log_every": 1,
}
# Name of a run -> command and options. Dropout is off, optimizer steps are small: Adam's
# first ones are signs of gradients, which rounding may turn where they are nothing.
SMALL = {"lr": 1e-4, "batch_size": 8}
COMMON = SMALL | {"accum_grad": 3}
RUNS = {
    "llm": (
        "train",
        COMMON | {"attention_dropout": 0, "text_ratio_every": 1, "probe_every": 2},
    ),
    "budget": (
        "train",
        SMALL
        | {"attention_dropout": 0, "text_ratio_every": 2, "batch_tokens": 150}
        | {"text_ratio_gate": 0.99, "text_ratio_gate_every": 1}
        | {"num_workers": 1, "logits_at_once": 16, "num_dev": 3}
        | {"unit_heads": HEADS},
    ),
    "lora": (
        "train",
        COMMON
        | {"attention_dropout": 0, "lora_rank": 4, "teacher_weight": 0.5}
        | {"teacher_prompt": "{src_text} = {tgt_text}", "unit_heads": HEADS},
    ),
    "encoder": (
        "encoder",
        COMMON | {"scratch": "true", "num_pieces": 20, "max_drop_rate": 0.5},
    ),
    "world": ("vocoder", SMALL | {"world.accum_grad": 3} | WORLD),
    "hifigan": ("vocoder", SMALL | HIFIGAN),
}


class Finished:
    """A stage directory around whatever is written inside."""

    def __init__(self, directory: Path, stage: str, **facts):
        self.facts = facts
        self.stage = open_stage(directory, stage=stage, options=RunOptions(), inputs={})

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
    spoken = {"src": "es", "tgt": "en"}
    with Finished(data_dir, "data"):
        sides_of.write(data_dir, spoken)
        kaldi.write_table(data_dir / "wav.scp.tgt", wavs)
        kaldi.write_table(data_dir / "text.tgt", texts)
        seconds = {k: f"{0.04 * len(v):.3f}" for k, v in units.items()}
        kaldi.write_table(data_dir / "utt2dur.tgt", seconds)
    with Finished(units_dir, "units", num_units=6, unit_sec=0.04, sides=spoken):
        store.write_units(units_dir / "units.tgt", units)


def make_corpus(root: Path, text_llm: Path, small_dump: dump.Dump) -> Path:
    """Data, units and dump of a few made utterances, as finished stages leave them."""
    write_json(root / "w2v_bert" / "config.json", W2V_BERT)
    write_json(root / "w2v_bert" / "preprocessor_config.json", EXTRACTOR)
    utterances = [small_dump[i] for i in range(len(small_dump))]
    for split, count in (("train", 10), ("dev", 5)):
        sides = [utterance.sides["tgt"] for utterance in utterances[:count]]
        make_split(root, split, sides)
        directory = root / "dump" / split
        with Finished(directory, "dump"):
            dump.write(directory, utterances, small_dump.vocabulary)
    (root / "llm").symlink_to(text_llm)
    return root


def command(corpus: Path, name: str, out: str, **more) -> list[str]:
    """Words of the command of one run in that corpus, which writes the folder `out`."""
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
    stage, options = RUNS[name]
    values = LOOP | options | inputs[stage] | more | {"out_dir": corpus / out}
    return [stage, *(str(w) for k, v in values.items() for w in (f"--{k}", v))]


def torchrun(corpus: Path, commands: list[list[str]], python: Path) -> None:
    """Many commands by one pair of processes of that `python`."""
    done = two_ranks(
        corpus / "commands.py",
        "import json, sys\n"
        "from s2st_interleave.__main__ import main\n"
        "from s2st_interleave.parallel import exit_with\n"
        "commands = json.loads(sys.argv[1])\n"
        "exit_with(lambda: next((code for words in commands if (code := main(words))), 0))\n",
        json.dumps(commands),
        python=python,
    )
    assert done.returncode == 0, done.stdout


def two_ranks(
    script: Path, text: str, *words: str, python: Path = Path(sys.executable)
) -> subprocess.CompletedProcess:
    script.write_text(text)
    start = ["s2st_interleave.train.torchrun", "--standalone", "--nproc_per_node", "2"]
    return subprocess.run(
        [python, "-m", *start, str(script), *words],
        env=os.environ | {"OMP_NUM_THREADS": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def lines(run: Path) -> list[dict[str, float]]:
    texts = (run / "metrics.jsonl").read_text().splitlines()
    return [{k: v for k, v in json.loads(t).items() if k != "sec"} for t in texts]
