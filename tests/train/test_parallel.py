"""One and two ranks (gloo) compute the same, and one carries on what the other began.

Everything is done by the commands themselves, on two ranks under torchrun.
"""

import json
import os
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file
from torch.distributed.checkpoint.format_utils import dcp_to_torch_save
from transformers import AutoModelForCausalLM, Wav2Vec2BertForCTC

from s2st_interleave import keyed
from s2st_interleave.__main__ import main
from s2st_interleave.config import RunOptions
from s2st_interleave.data import audio, kaldi
from s2st_interleave.data import sides as sides_of
from s2st_interleave.files import read_json, write_json
from s2st_interleave.interleave import dump
from s2st_interleave.llm import lora
from s2st_interleave.llm import model as llm
from s2st_interleave.preemption import EXIT_REQUEUE
from s2st_interleave.stage_dir import open_stage
from s2st_interleave.train import checkpoint
from s2st_interleave.train.batches import chunks, share
from s2st_interleave.units import store
from s2st_interleave.vocoder import base as vocoder
from s2st_interleave.vocoder.hifigan import Gan

STEPS, HALF = 3, 2
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
SMALL = {"lr": 1e-4, "batch_size": 8}
COMMON = SMALL | {"accum_grad": 3}
RUNS = {
    "llm": (
        "train",
        COMMON | {"attention_dropout": 0, "text_ratio_every": 1, "probe_every": 2},
    ),
    "lora": ("train", COMMON | {"attention_dropout": 0, "lora_rank": 4}),
    "encoder": (
        "encoder",
        COMMON | {"scratch": "true", "num_pieces": 20, "max_drop_rate": 0.5},
    ),
    "world": ("vocoder", COMMON | WORLD),
    "hifigan": ("vocoder", SMALL | HIFIGAN),
}
PARALLEL = [(name, how) for name in RUNS for how in ("ddp", "fsdp")]


@pytest.fixture(scope="module")
def corpus(tmp_path_factory, text_llm: Path, small_dump: dump.Dump) -> Path:
    """Data, units and dump of a few made utterances, as finished stages leave them."""
    root = tmp_path_factory.mktemp("ranks")
    write_json(root / "w2v_bert" / "config.json", W2V_BERT)
    write_json(root / "w2v_bert" / "preprocessor_config.json", EXTRACTOR)
    utterances = [small_dump[i] for i in range(len(small_dump))]
    for split, count in (("train", 10), ("dev", 5)):
        make_split(root, split, [one.sides["tgt"] for one in utterances[:count]])
        directory = root / "dump" / split
        with Finished(directory, "dump"):
            dump.write(directory, utterances, small_dump.vocabulary)
    (root / "llm").symlink_to(text_llm)
    return root


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
        assert main(command(name, f"{name} 1 begun", max_steps=HALF)) == 0
    for name, how in PARALLEL:
        shutil.copytree(corpus / f"{name} 1 begun", corpus / f"{name} 1 to {how}")
        two = {"parallel": how}
        todo.append(command(name, f"{name} {how}", **two))
        todo.append(command(name, f"{name} {how} to 1", **two, max_steps=HALF))
        todo.append(command(name, f"{name} 1 to {how}", **two))
    torchrun(corpus, todo)
    for name, how in PARALLEL:
        assert main(command(name, f"{name} {how} to 1")) == 0
    return corpus


def torchrun(corpus: Path, commands: list[list[str]]) -> None:
    """Many commands by one pair of processes: most of their time is imports."""
    done = two_ranks(
        corpus / "commands.py",
        "import json, sys\n"
        "from s2st_interleave.__main__ import main\n"
        "from s2st_interleave.train.parallel import exit_with\n"
        "commands = json.loads(sys.argv[1])\n"
        "exit_with(lambda: next((code for words in commands if (code := main(words))), 0))\n",
        json.dumps(commands),
    )
    assert done.returncode == 0, done.stdout


def two_ranks(script: Path, text: str, *words: str) -> subprocess.CompletedProcess:
    script.write_text(text)
    start = ["s2st_interleave.train.torchrun", "--standalone", "--nproc_per_node", "2"]
    return subprocess.run(
        [sys.executable, "-m", *start, str(script), *words],
        env=os.environ | {"OMP_NUM_THREADS": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


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


@pytest.mark.parametrize("how", ["ddp", "fsdp"])
def test_what_trains_is_what_is_kept_for_a_resumed_run(runs, how):
    """Sharded weights were all kept, as if they trained."""
    one, two = (
        load_file(checkpoint.path(runs / f"lora {end}", STEPS) / lora.TRAINED_FILE)
        for end in ("1", how)
    )
    assert one.keys() == two.keys() and all("lora_" in k or "tokens" in k for k in one)


@pytest.mark.parametrize(("name", "how"), PARALLEL)
def test_gradients_are_those_of_one_rank(runs, name, how):
    """Adam's first moment after the first step is a tenth of the clipped gradient."""
    one, two = (first_moments(runs / f"{name} {end}", name) for end in ("1", how))
    assert one.keys() == two.keys() and one
    largest = {key: gradient.abs().max().item() for key, gradient in one.items()}
    for key, gradient in one.items():
        # A bias of attention keys has no gradient but what rounding leaves.
        scale = max(largest[key], 1e-4 * max(largest.values()))
        torch.testing.assert_close(two[key], gradient, rtol=1e-5, atol=1e-5 * scale)


def first_moments(run: Path, name: str) -> dict[str, torch.Tensor]:
    folder = checkpoint.path(run, 1)
    if (folder / checkpoint.SHARDS).is_dir():
        dcp_to_torch_save(folder / checkpoint.SHARDS, run / "whole.pt")
        whole = torch.load(run / "whole.pt", weights_only=True)
        return {
            k.rpartition("/")[0]: v for k, v in whole.items() if k.endswith("/exp_avg")
        }
    state = torch.load(folder / checkpoint.OPTIMIZER, weights_only=True)
    names = [key for key, _ in trained_model(run, folder, name).named_parameters()]
    return {names[k]: v["exp_avg"] for k, v in state["state"].items()}


def trained_model(run: Path, folder: Path, name: str) -> torch.nn.Module:
    """With the parameters that the optimizer has: a checkpoint may have others."""
    if name == "lora":
        num_units = read_json(folder / llm.VOCABULARY_FILE)["num_units"]
        return llm.extend(run.parent / "llm", num_units, lora_rank=4).model
    if name == "hifigan":
        description = read_json(folder / vocoder.VOCODER_FILE)
        sizes = vocoder.HifiganSizes.of(description)
        return Gan(vocoder.read_rate(description), sizes)
    return read_back(folder, name)


def read_back(folder: Path, name: str) -> torch.nn.Module:
    """A checkpoint as whoever knows nothing of ranks reads it."""
    if name in ("llm", "lora"):
        return AutoModelForCausalLM.from_pretrained(folder)
    if name == "encoder":
        return Wav2Vec2BertForCTC.from_pretrained(folder)
    return vocoder.load(folder).model


@pytest.mark.parametrize(("name", "how"), PARALLEL)
def test_a_checkpoint_of_two_ranks_is_an_ordinary_model(runs, name, how):
    model = read_back(checkpoint.path(runs / f"{name} {how}", STEPS), name)
    whole = read_back(checkpoint.path(runs / f"{name} 1", STEPS), name)
    shapes = {key: p.shape for key, p in whole.named_parameters()}
    assert {key: p.shape for key, p in model.named_parameters()} == shapes
    assert all(p.isfinite().all() for p in model.parameters())


@pytest.mark.parametrize(("name", "how"), PARALLEL)
def test_one_rank_carries_on_what_two_began_and_two_what_one(runs, name, how):
    for run in (f"{name} {how} to 1", f"{name} 1 to {how}"):
        assert_same_metrics(runs / f"{name} 1", runs / run)
        assert (runs / run / "stage.json").is_file()


def test_ranks_share_out_a_batch(monkeypatch):
    items = list(range(10))
    for count, parts, pieces in (
        (1, 4, 4),
        (2, 3, 2),
        (3, 1, 1),
        (4, 9, 2),
        (10, 1, 1),
    ):
        monkeypatch.setenv("WORLD_SIZE", str(count))
        shares = []
        for index in range(count):
            monkeypatch.setenv("RANK", str(index))
            shares.append(share(items, parts))
        assert {len(one) for one in shares} == {pieces}
        assert sorted(i for one in shares for piece in one for i in piece) == items
    monkeypatch.setenv("WORLD_SIZE", "11")
    with pytest.raises(ValueError, match="11 ranks cannot share 10"):
        share(items, 1)


def test_one_rank_evaluates_in_batches_of_the_size_asked_for():
    assert chunks([0, 1, 2, 3, 4], 2) == [[0, 1], [2, 3], [4]]


def test_a_run_that_a_signal_stopped_is_carried_on_to_the_same_bits(runs, command):
    words = command("llm", "llm stopped")
    ended = threading.Event()

    def disturb() -> None:
        while not ended.wait(0.002):
            os.kill(os.getpid(), signal.SIGTERM)

    before = signal.signal(signal.SIGTERM, signal.SIG_IGN)
    thread = threading.Thread(target=disturb)
    thread.start()
    try:
        with pytest.raises(SystemExit, match=str(EXIT_REQUEUE)):
            main(words)
    finally:
        ended.set()
        thread.join()
        for number in (signal.SIGTERM, signal.SIGUSR1):
            signal.signal(number, signal.SIG_DFL)
        signal.signal(signal.SIGTERM, before)
    assert max(checkpoint.found(runs / "llm stopped")) < STEPS
    assert main(words) == 0
    whole, stopped = (
        (checkpoint.path(runs / name, STEPS) / "model.safetensors").read_bytes()
        for name in ("llm 1", "llm stopped")
    )
    assert whole == stopped
    assert lines(runs / "llm 1") == lines(runs / "llm stopped")


def test_torchrun_hands_a_signal_to_its_ranks_and_their_exit_status_up(runs, command):
    """As a cluster sends it: to the one process that it knows."""
    start = ["s2st_interleave.train.torchrun", "--standalone", "--nproc_per_node", "2"]
    endless = dict.fromkeys(("max_steps", "save_every", "eval_every"), 10**6)
    words = command("llm", "llm endless", **endless, log_every=1)
    process = subprocess.Popen(
        [sys.executable, "-m", *start, "-m", "s2st_interleave", *words],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        env=os.environ | {"OMP_NUM_THREADS": "1"},
        text=True,
    )
    with process:
        for line in process.stdout:
            if line.startswith("step "):
                process.send_signal(signal.SIGUSR1)
                break
        said = process.stdout.read()
    assert process.returncode == EXIT_REQUEUE, said
    assert "stopped by a signal after step" in said and "Traceback" not in said
    (done,) = checkpoint.found(runs / "llm endless")
    assert len(lines(runs / "llm endless")) == done


# Says so when the interpreter it lives in is taken apart.
WITNESS = """
class Witness:
    def __del__(self):
        print('taken apart')
witness = Witness()
"""


def test_a_rank_leaves_the_group_before_it_exits(tmp_path):
    """One that did not died of SIGABRT now and then, its work done."""
    done = two_ranks(
        tmp_path / "rank.py",
        "import atexit\n"
        "from torch import distributed\n"
        "from s2st_interleave.train.parallel import exit_with, on_first\n"
        "atexit.register(lambda: print('left', not distributed.is_initialized()))\n"
        "exit_with(lambda: on_first(lambda: None))\n",
    )
    # The ranks' lines may run into each other.
    assert done.returncode == 0 and done.stdout.count("True") == 2, done.stdout


@pytest.mark.parametrize(
    "end, status", [("pass", 0), ("raise SystemExit(85)", 85), ("raise KeyError(7)", 1)]
)
def test_a_rank_whose_gloo_threads_outlive_the_group_ends_with_its_status(
    tmp_path, end, status
):
    """It died of SIGABRT when one of them ran while the interpreter was taken apart.

    After DDP they do live on; the interpreter must not go before they do.
    """
    done = two_ranks(
        tmp_path / "rank.py",
        "from torch import nn\n"
        "from s2st_interleave.train import engine, parallel\n"
        f"{WITNESS}"
        "def main():\n"
        "    engine.wrap(nn.Linear(2, 2), 'ddp')\n"
        "    print('work done')\n"
        f"    {end}\n"
        "parallel.exit_with(main)\n",
    )
    assert done.returncode == status, done.stdout
    assert done.stdout.count("work done") == 2
    assert "taken apart" not in done.stdout
    assert ("KeyError: 7" in done.stdout) == (status == 1)


def test_the_console_script_ends_its_ranks_as_python_m_does(tmp_path):
    done = two_ranks(
        tmp_path / "rank.py",
        "import sys\n"
        "from importlib.metadata import entry_points\n"
        f"{WITNESS}"
        "sys.argv = ['s2st-interleave', '--help']\n"
        "(script,) = entry_points(group='console_scripts', name='s2st-interleave')\n"
        "script.load()()\n",
    )
    assert done.returncode == 0, done.stdout
    assert done.stdout.count("commands (stage)") == 2
    assert "taken apart" not in done.stdout
