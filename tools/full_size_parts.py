"""Models of full size with random weights, and a corpus of a few spoken utterances."""

import shutil
import subprocess
import sys
from itertools import product
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
CONF = ROOT / "egs" / "cvss" / "conf"
ENCODER_WEIGHTS = 582_543_120  # w2v-BERT 2.0 with a CTC layer
LLM_WEIGHTS = 1_240_014_848  # Llama-3.2-1B with 2,051 rows more
WHISPER_WEIGHTS = 1_543_490_560  # large-v3
GAN_WEIGHTS = 84_100_000
WHISPER = {
    "vocab_size": 51866,
    "d_model": 1280,
    "encoder_layers": 32,
    "decoder_layers": 32,
    "encoder_attention_heads": 20,
    "decoder_attention_heads": 20,
    "encoder_ffn_dim": 5120,
    "decoder_ffn_dim": 5120,
    "num_mel_bins": 128,
    "pad_token_id": 0,
}
WHISPER_TOKENS = {  # of large-v3
    "<|endoftext|>": 50257,
    "<|startoftranscript|>": 50258,
    "<|en|>": 50259,
    "<|transcribe|>": 50360,
    "<|notimestamps|>": 50364,
}
WHO = {"mi hermano": "my brother", "la mujer": "the woman", "el maestro": "the teacher"}
DOES = {"compra": "is buying", "quiere": "would like"}
WHAT = {"tres manzanas rojas": "three red apples", "la casa blanca": "the white house"}
WHEN = {"por la mañana": "in the morning", "por la tarde": "in the afternoon"}
NUM_TRAIN, NUM_DEV = 16, 2  # and one of test


def make(work: Path, num_layers: int, wheel: Path | None = None) -> None:
    """Put all that the recipe reads into `work`; what is there already stays."""
    tokenizer = work / "llama3"
    fetch = [sys.executable, str(ROOT / "tools/fetch_llama3_tokenizer.py")]
    fetch += ["--out", str(tokenizer), *(["--wheel", str(wheel)] if wheel else [])]
    subprocess.run(fetch, check=True)
    makers = {
        "w2v_bert": _encoder,
        "llm_16": lambda out: _llm(out, tokenizer, 16),
        f"llm_{num_layers}": lambda out: _llm(out, tokenizer, num_layers),
        "whisper": _whisper,
        "conf": _conf,
    }
    for name, maker in makers.items():
        if not (work / name).exists():
            part = work / f".{name}"
            shutil.rmtree(part, ignore_errors=True)
            print(f"making {name}", flush=True)
            maker(part)
            part.rename(work / name)
    if not (work / "corpus.tsv").exists():
        _corpus(work)


def planned_step_gb(work: Path, num_layers: int) -> float:
    """What plan/memory.py says of the step that stage 6 has taken."""
    from s2st_interleave import config
    from s2st_interleave.plan import command, counts, memory, sizes

    used = work / "exp_step" / "scheduled" / "config.yaml"
    if not used.is_file():
        return 0.0
    words = ["--config", str(used), "--dump_dir", str(work / "dump/interleave/train")]
    options = config.parse(command.Options, words, prog="full_size")
    task = command.planned_task(options)
    (step,) = counts.draw_steps(task, 1)
    llm = sizes.measure(work / f"llm_{num_layers}", task.llm.vocabulary.size)
    setup = memory.Setup(accumulates=len(step.micro) > 1, foreach=False)
    return memory.peak(llm, step.micro, setup).total / 1e9


def _encoder(out: Path) -> None:
    import torch
    from transformers import (
        SeamlessM4TFeatureExtractor,
        Wav2Vec2BertConfig,
        Wav2Vec2BertModel,
    )

    torch.manual_seed(1)
    Wav2Vec2BertModel(Wav2Vec2BertConfig()).to(torch.bfloat16).save_pretrained(out)
    SeamlessM4TFeatureExtractor().save_pretrained(out)


def _llm(out: Path, tokenizer: Path, num_layers: int) -> None:
    import torch
    from transformers import AutoConfig, AutoModelForCausalLM

    torch.manual_seed(1)
    config = AutoConfig.from_pretrained(CONF / "llama_3.2_1b.json")
    config.num_hidden_layers = num_layers
    model: Any = AutoModelForCausalLM.from_config(config, dtype=torch.bfloat16)
    model.save_pretrained(out)
    for path in tokenizer.glob("tokenizer*.json"):
        shutil.copy(path, out)


def _whisper(out: Path) -> None:
    import tokenizers
    import torch
    from transformers import WhisperConfig, WhisperForConditionalGeneration

    torch.manual_seed(1)
    torch.set_default_dtype(torch.bfloat16)
    try:
        model = WhisperForConditionalGeneration(WhisperConfig(**WHISPER))
    finally:
        torch.set_default_dtype(torch.float32)
    model.save_pretrained(out)
    names = tokenizers.models.WordLevel(WHISPER_TOKENS, "<|endoftext|>")
    tokenizers.Tokenizer(names).save(str(out / "tokenizer.json"))


def _conf(out: Path) -> None:
    """egs/cvss/conf, but words of any score: random weights hear nothing."""
    shutil.copytree(CONF, out)
    (out / "align.yaml").write_text("min_score:\nmin_median_score:\n")


def _corpus(work: Path) -> None:
    """Sentences that flite speaks, on both sides, in a TSV as egs/own takes it."""
    (work / "wavs").mkdir(exist_ok=True)
    lines = ["id\tsrc_audio\tsrc_text\ttgt_audio\ttgt_text\tsplit"]
    sentences = product(*(part.items() for part in (WHO, DOES, WHAT, WHEN)))
    splits = ["test"] + ["dev"] * NUM_DEV + ["train"] * NUM_TRAIN
    for index, (sentence, split) in enumerate(zip(sentences, splits, strict=False)):
        cells = [f"u{index:02}"]
        for side, words in zip(
            ("src", "tgt"), zip(*sentence, strict=True), strict=True
        ):
            text = " ".join(words)
            wav = work / "wavs" / f"u{index:02}.{side}.wav"
            subprocess.run(["flite", "-t", text, "-o", str(wav)], check=True)
            cells += [str(wav), text]
        lines.append("\t".join([*cells, split]))
    (work / "corpus.tsv").write_text("\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    make(Path(sys.argv[1]), int(sys.argv[2]), *map(Path, sys.argv[3:]))
