"""Try, with a second of noise, every model, device and library that later stages need.

    python -m s2st_interleave preflight --encoder facebook/w2v-bert-2.0 \\
        --llm meta-llama/Llama-3.2-1B --asr large-v3 --languages "es en" --conf conf

It prints a line for each: "ok", or what to do; the exit status is 1 if one fails. What a
run does not name it does not need. `--preflight true` of a recipe runs it before stage 2, in
a job such as those of later stages. Models with a hub's name are fetched.
"""

import importlib
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from s2st_interleave.config import given, load_yaml, option
from s2st_interleave.data.languages import LanguageCode, language
from s2st_interleave.errors import UserError, explained
from s2st_interleave.interleave.layout import Layout
from s2st_interleave.precision import use_bf16
from s2st_interleave.stages import (
    decode,
    encoder,
    packages,
    score,
    train,
    trial,
    vocoder,
)
from s2st_interleave.stages.train_options import TaskOptions
from s2st_interleave.values import Device

# What a vocoder trains and speaks with, beside PyTorch.
VOCODERS = {
    "hifigan": ("s2st_interleave.vocoder.gan", "espnet2"),
    "world": ("s2st_interleave.vocoder.regression", "pyworld"),
}
WEIGHTS = ("*.safetensors", "*.bin")


@dataclass(frozen=True, kw_only=True)
class Options:
    conf: Path | None = option(None, "folder with a YAML for each stage")
    encoder: Path | None = option(None, "that stage 2 starts from: folder or name")
    llm: Path | None = option(None, "that stage 6 starts from: folder or name")
    asr: Path | None = option(None, "Whisper of stage 9, where the task speaks")
    task: Path | None = option(None, "conf/tasks/<name>.yaml; default: it speaks")
    languages: tuple[LanguageCode, ...] = option((), "of all sides; the last answers")
    utmos: Path | None = option(None, "its weights, for --mos utmos")
    systems: tuple[str, ...] = option((), "that stage 6 trains")
    out_dir: Path = option(Path("exp"), "whose disk takes the checkpoints")
    num_gpus: int = option(1, "of a training, on this machine", minimum=1)
    device: Device = option(Device("auto"), "auto, cpu, cuda, cuda:1")
    encoder_args: str = option("", "options of stage 2 that win over conf")
    train_args: str = option("", "of stage 6")
    decode_args: str = option("", "of stage 7")
    vocoder_args: str = option("", "of stage 8")
    score_args: str = option("", "of stage 9")

    @property
    def speaks(self) -> bool:
        """Whether the task answers in speech: it wants a vocoder and a recogniser."""
        if self.task is None:
            return True
        layout = load_yaml(self.task, TaskOptions)["layout"]
        return Layout.parse(layout).speaks

    def of(self, stage: str, cls: type) -> dict[str, Any]:
        """What the YAML of a stage sets, and its options of the recipe, by option."""
        path = self.conf / f"{stage}.yaml" if self.conf else None
        values = load_yaml(path, cls) if path and path.is_file() else {}
        name = f"{stage}_args"
        return values | given(cls, getattr(self, name).split(), source=f"--{name}")


def run(options: Options) -> None:
    if options.conf and not options.conf.is_dir():
        raise UserError(f"{options.conf}: no such folder")
    checks: dict[str, Callable[[Options], str]] = {
        "device": _device,
        "audio": _audio,
        "units": _units,
        "encoder": _encoder,
        "LLM": _llm,
        "disk": _disk,
        "packages": _packages,
        "vocoder": _vocoder,
        "recogniser": _recogniser,
        "BLEU": _bleu,
        "speech quality": _quality,
    }
    failed = 0
    for name, check in checks.items():
        try:
            text = check(options)
            if text:
                print(f"ok    {name}: {text}", flush=True)
        except Exception as error:  # whatever a library raises, the next one is tried
            failed += 1
            print(f"FAIL  {name}: {_line(error)}", flush=True)
    if failed:
        raise UserError(
            f"{failed} of {len(checks)} things that later stages need do not work here: "
            "see the lines above"
        )


def _line(error: Exception) -> str:
    """What an error says, in one line."""
    text = explained(error) or f"{type(error).__name__}: {error}"
    return " ".join(text.split())


def _device(options: Options) -> str:
    import torch

    from s2st_interleave.device import resolve_device

    device = resolve_device(options.device)
    numbers = torch.eye(8, device=device, dtype=torch.bfloat16)
    assert float((numbers @ numbers).sum()) == 8
    if options.num_gpus > 1:
        importlib.import_module("torch.distributed.run")  # torchrun
        if device.type == "cuda":
            _check_ranks(options.num_gpus)
    if device.type != "cuda":
        return f"{device}"
    bf16 = "bf16" if use_bf16("auto", device) else "no bf16: fp32"
    return f"{torch.cuda.get_device_name(device)}, {bf16}"


def _check_ranks(num_gpus: int) -> None:
    import torch
    from torch import distributed

    if torch.cuda.device_count() < num_gpus:
        raise UserError(
            f"--num_gpus {num_gpus}: there are {torch.cuda.device_count()} here"
        )
    if not distributed.is_nccl_available():
        raise UserError(f"--num_gpus {num_gpus}: this PyTorch comes without NCCL")


def _audio(options: Options) -> str:
    from s2st_interleave.data import audio, pyav

    with _noise() as path:
        count = len(audio.read(path))
        blocks, rate = pyav.decode(path, 10.0, "")
    assert (count, len(blocks), rate) == (rate, rate, audio.SAMPLE_RATE)
    return "soundfile and PyAV read a FLAC"


def _units(options: Options) -> str:
    import numpy as np

    from s2st_interleave.units import store

    with tempfile.TemporaryDirectory() as folder:
        store.write_units(Path(folder) / "units", {"u": np.arange(3)})
        assert store.read_units(Path(folder) / "units")["u"].tolist() == [0, 1, 2]
    return "kaldiio writes and reads an ark"


def _encoder(options: Options) -> str:
    """Build the encoder with a CTC layer, run it on the device, and align two words."""
    if options.encoder is None:
        return ""
    import sentencepiece

    from s2st_interleave.align.segmentation import segment
    from s2st_interleave.device import resolve_device
    from s2st_interleave.encoder import bpe as bpe_files
    from s2st_interleave.encoder import ctc
    from s2st_interleave.encoder.checks import logits_of_noise

    scratch = options.of("encoder", encoder.Options).get("scratch", False)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "bpe.model"
        bpe_files.train_bpe(["to be or not to be"], path, 12, 1.0)
        bpe = sentencepiece.SentencePieceProcessor(model_file=str(path))
    model, front = ctc.build(options.encoder, bpe, scratch, seed=1)
    model.to(resolve_device(options.device))  # pyrefly: ignore[bad-argument-type]
    logits = logits_of_noise(model, front, 1.0)
    segment(logits.log_softmax(-1).numpy(), ["to", "be"], bpe, front.frame_sec)
    return f"{options.encoder}, {len(logits)} frames a second"


def _llm(options: Options) -> str:
    if options.llm is None:
        return ""
    from transformers import AutoTokenizer
    from transformers.utils import is_flash_attn_2_available

    from s2st_interleave.hub import load
    from s2st_interleave.plan import sizes

    config = sizes.read_config(options.llm)
    tokenizer = load(AutoTokenizer, options.llm)
    if not tokenizer.encode("a word", add_special_tokens=False):
        raise UserError(f"{options.llm}: its tokenizer makes no tokens of words")
    if options.llm.is_dir() and not any(map(any, map(options.llm.glob, WEIGHTS))):
        raise UserError(f"{options.llm}: no weights here: fetch it again")
    attention = options.of("train", train.Options).get("attention", "")
    if attention == "flash_attention_2" and not is_flash_attn_2_available():
        raise UserError(
            "--attention flash_attention_2 wants the package flash-attn and a GPU for it; "
            "sdpa needs neither"
        )
    trial.of_llm(config, options.of("train", train.Options), options.device)
    return f"{options.llm}, {config.model_type}, {len(tokenizer)} tokens"


def _disk(options: Options) -> str:
    """Compare what checkpoints of systems that are to be trained take with what is free."""
    if options.llm is None or not options.systems:
        return ""
    from s2st_interleave.plan import disk, sizes

    values = options.of("train", train.Options)
    keep_last = values.get("keep_last", train.Options.keep_last)
    llm = sizes.measure(options.llm, sizes.read_config(options.llm).vocab_size)
    new = [s for s in options.systems if not (options.out_dir / s).is_dir()]
    need = len(new) * disk.checkpoints(llm, keep_last)["while saving"]
    place = options.out_dir.absolute()
    while not place.is_dir():
        place = place.parent
    free = shutil.disk_usage(place).free
    text = f"{disk.human(need)} for checkpoints of stage 6, {disk.human(free)} free"
    if free < need:
        raise UserError(f"{text} in {place}: make room, or train with --keep_last 1")
    return text


def _packages(options: Options) -> str:
    found = packages.looked_for(
        options.of("train", train.Options),
        options.of("decode", decode.Options),
        options.of("score", score.Options),
    )
    return ", ".join(found)


def _vocoder(options: Options) -> str:
    if not options.speaks:
        return ""
    name = options.of("vocoder", vocoder.Options).get("backend", vocoder.DEFAULT)
    for module in VOCODERS[name]:
        importlib.import_module(module)
    if name == "hifigan":
        trial.of_hifigan(options.of("vocoder", vocoder.Options), options.device)
    return name


def _recogniser(options: Options) -> str:
    if options.asr is None or not options.speaks or not options.languages:
        return ""
    from s2st_interleave.score.asr import AsrOptions, describe, transcribe

    values = options.of("score", score.Options)
    asr = AsrOptions(
        model=str(options.asr),
        language=options.languages[-1],
        device=options.device,
        compute_type=values.get("compute_type", score.Options.compute_type),
        backend=values.get("asr_backend", score.Options.asr_backend),
    )
    with _noise() as path:
        transcribe({"noise": path}, asr)
    about = describe(asr)
    return f"{about.backend} {about.version}, {about.model}, {about.compute_type}"


def _bleu(options: Options) -> str:
    """Score a sentence in the language of the answers, normalised and cut into words."""
    if not options.languages:
        return ""
    from s2st_interleave.score.metrics.bleu import sacrebleus
    from s2st_interleave.score.normalize import Normalizer

    code = options.languages[-1]
    text = Normalizer(code).normalize("a b c d e")
    metric = sacrebleus(language(code).tokenizer)
    metric.corpus_score([text], [[text]])
    return f"{code}, tokenizer {language(code).tokenizer}"


def _quality(options: Options) -> str:
    from s2st_interleave.score.metrics.mos import MosOptions, describe, predict

    name = "utmos" if options.utmos else options.of("score", score.Options).get("mos")
    if name in (None, "none") or not options.speaks:
        return ""
    mos = MosOptions(name, options.utmos, options.device)
    with _noise() as path:
        predict({"noise": path}, mos, on_score=lambda utterance, score: None)
    return describe(mos)["predictor"]


@contextmanager
def _noise() -> Iterator[Path]:
    """The path of a FLAC with a second of noise."""
    from s2st_interleave.data import audio
    from s2st_interleave.encoder.checks import noise

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "noise.flac"
        audio.write(path, noise(1.0))
        yield path
