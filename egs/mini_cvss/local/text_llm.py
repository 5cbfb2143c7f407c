"""A small Llama, trained from nothing on lines of text: it stands in for a real text LLM.

Recipes of made corpora say what it sees; the result is an ordinary Hugging Face directory.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from s2st_interleave import keyed, parallel
from s2st_interleave.config import REQUIRED, option
from s2st_interleave.progress import name_lines, quiet_transformers
from s2st_interleave.stage_dir import Input, open_stage
from s2st_interleave.train.batches import batch_at, share
from s2st_interleave.train.options import TrainOptions


@dataclass(frozen=True, kw_only=True)
class LlmOptions(TrainOptions):
    """A small Llama and its training, on whatever texts."""

    out_dir: Path = option(REQUIRED, "Hugging Face directory to write")
    hidden_size: int = option(192, "width", minimum=1)
    num_layers: int = option(4, "layers", minimum=1)
    num_heads: int = option(4, "attention heads", minimum=1)
    max_steps: int = option(400, "optimizer steps", minimum=0)
    batch_size: int = option(64, "documents per step", minimum=1)
    lr: float = option(2e-3, "peak learning rate", above=0)
    lr_scheduler: Literal["constant", "linear", "cosine"] = option(
        "cosine", "after the warm-up"
    )
    warmup_steps: int = option(20, "linear warm-up", minimum=0)


def train_llm(
    options: LlmOptions,
    *,
    inputs: Mapping[str, Input | str],
    documents: Callable[[str], list[str]],
    num_merges: int,
) -> None:
    """Train tokenizer and LLM on `documents("train")`, evaluated on those of "dev"."""
    stage = parallel.on_first(
        lambda: open_stage(
            options.out_dir,
            stage="text_llm",
            options=options,
            inputs=inputs,
            overwrite=options.overwrite,
        )
    )
    if stage is None:
        return
    from s2st_interleave.device import resolve_device, set_threads
    from s2st_interleave.train import checkpoint
    from s2st_interleave.train.adamw import AdamWLearner
    from s2st_interleave.train.loop import fit

    quiet_transformers()
    name_lines(f"stage 1 text LLM {options.out_dir.name}")
    set_threads(options.num_threads)
    train = documents("train")
    tokenizer = train_tokenizer(train, num_merges)
    device = resolve_device(options.device)
    task = TextTask(
        model=build_model(tokenizer, options).to(device),
        tokenizer=tokenizer,
        train=train,
        dev=documents("dev"),
        options=options,
        device=device,
    )
    outcome = fit(AdamWLearner(task, options), options, options.out_dir)
    num, seconds = len(train), outcome.train_sec

    def finish() -> None:
        checkpoint.export(outcome.last, options.out_dir)
        stage.finish(num_in=num, num_out=num, train_sec=seconds)

    parallel.on_first(finish)


def train_tokenizer(texts: Sequence[str], num_merges: int) -> Any:
    from tokenizers import (
        Tokenizer,
        decoders,
        models,
        pre_tokenizers,
        processors,
        trainers,
    )
    from transformers import PreTrainedTokenizerFast

    bpe = Tokenizer(models.BPE())
    bpe.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    bpe.decoder = decoders.ByteLevel()
    marks = ["<|begin_of_text|>", "<|end_of_text|>"]
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(
        vocab_size=len(marks) + len(alphabet) + num_merges,
        special_tokens=marks,
        initial_alphabet=alphabet,
        show_progress=False,
    )
    bpe.train_from_iterator(texts, trainer)
    # As Llama's does: a prompt starts with the mark that every document starts with.
    bpe.post_processor = processors.TemplateProcessing(
        single=f"{marks[0]} $A", special_tokens=[(marks[0], bpe.token_to_id(marks[0]))]
    )
    return PreTrainedTokenizerFast(
        tokenizer_object=bpe, bos_token=marks[0], eos_token=marks[1]
    )


def build_model(tokenizer: Any, options: LlmOptions) -> Any:
    """A Llama of Llama-3.2-1B's kind: grouped keys, tied embeddings, no biases."""
    import torch
    from transformers import LlamaConfig, LlamaForCausalLM

    torch.manual_seed(keyed.stable_hash(options.seed, "text llm", bits=32))
    return LlamaForCausalLM(
        LlamaConfig(
            vocab_size=len(tokenizer),
            hidden_size=options.hidden_size,
            intermediate_size=options.hidden_size * 8 // 3 // 8 * 8,
            num_hidden_layers=options.num_layers,
            num_attention_heads=options.num_heads,
            num_key_value_heads=options.num_heads // 2,
            max_position_embeddings=2048,
            tie_word_embeddings=True,
            bos_token_id=tokenizer.bos_token_id,
            eos_token_id=tokenizer.eos_token_id,
        )
    )


@dataclass
class TextTask:
    """The loop's view of language modelling; every token is a target."""

    model: Any
    tokenizer: Any
    train: Sequence[str]
    dev: Sequence[str]
    options: LlmOptions
    device: Any

    def batches(self, step: int) -> list[dict[str, Any]]:
        options = self.options
        texts = sorted(batch_at(self.train, step, options.batch_size, options.seed))
        return [self._collate(part) for part in share(texts, options.accum_grad)]

    def num_targets(self, batch: dict[str, Any]) -> int:
        return int((batch["labels"][:, 1:] >= 0).sum())

    def loss_sum(self, batch: dict[str, Any]) -> Any:
        return self.model(**batch).loss * self.num_targets(batch)

    def metrics(self, step: int, batches: Sequence[dict[str, Any]]) -> dict[str, float]:
        return {"tokens": sum(int(b["attention_mask"].sum()) for b in batches)}

    def evaluate(self) -> dict[str, float]:
        batch = self._collate(self.dev[:: max(1, len(self.dev) // 200)])
        return {"loss": self.loss_sum(batch).item() / self.num_targets(batch)}

    def save(self, directory: Path) -> None:
        self.model.save_pretrained(directory)
        self.tokenizer.save_pretrained(directory)

    def sample(self) -> None:
        """None: what is saved has one reader, which tests compare."""

    def sample_saved(self, directory: Path) -> None:
        """None, as `sample`."""

    def _collate(self, texts: Sequence[str]) -> dict[str, Any]:
        import torch

        bos, eos = self.tokenizer.bos_token_id, self.tokenizer.eos_token_id
        rows = [
            torch.tensor(
                [bos, *self.tokenizer.encode(t, add_special_tokens=False), eos]
            )
            for t in texts
        ]
        pad = torch.nn.utils.rnn.pad_sequence
        batch = {
            "input_ids": pad(rows, batch_first=True, padding_value=eos),
            "labels": pad(rows, batch_first=True, padding_value=-100),
            "attention_mask": pad([torch.ones_like(r) for r in rows], batch_first=True),
        }
        return {name: tensor.to(self.device) for name, tensor in batch.items()}
