"""Hugging Face's Trainer on the sequences of stage 6."""

import gc
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import torch
from torch.nn.utils.rnn import pad_sequence
from torch.utils.data import SequentialSampler
from transformers import PrinterCallback, Trainer, TrainerCallback, TrainingArguments

from benchmarks.gpu import made
from benchmarks.gpu.meter import Memory, wait
from benchmarks.gpu.shapes import Shape
from s2st_interleave.interleave.sequence import Example

if TYPE_CHECKING:
    from benchmarks.gpu.train import Ours


class HfTrainer:
    """The same LLM, trained by the Trainer in micro-batches of `rows` sequences."""

    def __init__(self, shape: Shape, file: Path):
        self.shape, self.rows = shape, shape.trainer_rows[0]
        self.memory = Memory(shape.device)
        self.model = made.llm(
            file, shape, shape.device, torch.float32, bf16=False
        ).model
        self.optimizer = torch.optim.AdamW(
            self.model.parameters(), lr=5e-5, fused=shape.device.type == "cuda"
        )
        self.peak_gb: float | None = None

    def choose_rows(self, steps: Sequence[Sequence[Example]], lr: float) -> None:
        """Take the fastest number of rows that fits, and its peak; this also warms up."""
        best = 0.0
        for rows in self.shape.trainer_rows:
            self.memory.reset()
            try:
                self._train(steps[:1], rows)
                amount, seconds = self._train(steps[:2], rows)
            except torch.OutOfMemoryError:
                self._free()
                continue
            if amount / seconds > best:
                best, self.rows = amount / seconds, rows
                self.peak_gb = self.memory.peak_gb()

    def timed(self, ours: "Ours", turn: int) -> tuple[float, float]:
        """Tokens and seconds of the turn of `ours`, whose sequences are drawn before."""
        return self._train(ours.sequences(turn), self.rows)

    def close(self) -> None:
        """Give the memory back."""
        self._free()
        del self.model, self.optimizer
        self._free()

    def _free(self) -> None:
        if hasattr(self, "optimizer"):
            self.optimizer.zero_grad(set_to_none=True)
        gc.collect()
        if self.shape.device.type == "cuda":
            torch.cuda.empty_cache()

    def _train(
        self, steps: Sequence[Sequence[Example]], rows: int
    ) -> tuple[float, float]:
        examples = [example for step in steps for example in step]
        clock = _Clock(self.shape.device)
        with TemporaryDirectory() as folder:
            arguments = TrainingArguments(
                output_dir=folder,
                per_device_train_batch_size=rows,
                gradient_accumulation_steps=max(1, len(steps[0]) // rows),
                max_steps=len(steps),
                bf16=self.shape.bf16,
                use_cpu=self.shape.device.type == "cpu",
                lr_scheduler_type="constant",
                logging_strategy="no",
                save_strategy="no",
                report_to=[],
                disable_tqdm=True,
                remove_unused_columns=False,
            )
            trainer = _InOrder(
                model=self.model,
                args=arguments,
                train_dataset=[_item(example) for example in examples],
                data_collator=_padded,
                optimizers=(self.optimizer, None),
                callbacks=[clock],
            )
            trainer.remove_callback(PrinterCallback)
            trainer.train()
        return sum(len(example.ids) for example in examples), clock.seconds


class _InOrder(Trainer):
    """Takes sequences as they come: those of a micro-batch have similar lengths."""

    def _get_train_sampler(self, *_: Any) -> SequentialSampler:
        return SequentialSampler(self.train_dataset)


class _Clock(TrainerCallback):
    """Seconds from the first step to the end of the last."""

    def __init__(self, device: torch.device):
        self.device = device

    def on_train_begin(self, *_: Any, **__: Any) -> None:
        wait(self.device)
        self.started = time.perf_counter()

    def on_step_end(self, *_: Any, **__: Any) -> None:
        wait(self.device)
        self.seconds = time.perf_counter() - self.started


def _item(example: Example) -> Mapping[str, torch.Tensor]:
    ids, labels = (torch.as_tensor(a).long() for a in (example.ids, example.labels))
    return {"input_ids": ids, "labels": labels}


def _padded(items: Sequence[Mapping[str, torch.Tensor]]) -> dict[str, torch.Tensor]:
    """Items as a batch, padded on the right to its longest."""

    def pad(name: str, value: int) -> torch.Tensor:
        return pad_sequence([i[name] for i in items], True, value)

    mask = pad_sequence([torch.ones_like(i["labels"]) for i in items], True)
    return {
        "input_ids": pad("input_ids", 0),
        "labels": pad("labels", -100),
        "attention_mask": mask,
    }
