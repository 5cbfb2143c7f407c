"""Training on interleaved sequences (paper Sec. 3.2): the step decides the text ratio."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from transformers import PreTrainedModel

from s2st_interleave import parallel
from s2st_interleave.interleave.dump import Dump, Dumps, Subset, Utterance
from s2st_interleave.interleave.interleaving import Interleaving
from s2st_interleave.interleave.schedule import text_ratio
from s2st_interleave.interleave.sequence import (
    IGNORE,
)
from s2st_interleave.llm.backbone import router_loss
from s2st_interleave.llm.model import SpeechLlm
from s2st_interleave.train import probe
from s2st_interleave.train.batches import batch_at, chunks, share
from s2st_interleave.train.examples import InterleavedExample, draw_example

NUM_PROBED = 32  # dev utterances whose hidden states Fig. 3 shows


@dataclass(frozen=True)
class Batch:
    """A micro-batch: int64 tensors (num_examples, longest), padded on the right.

    `num_targets` counts labels that have a loss; `step_examples` are those of the whole
    step, over all ranks.
    """

    input_ids: torch.Tensor
    attention_mask: torch.Tensor
    labels: torch.Tensor
    num_targets: int
    examples: Sequence[InterleavedExample]
    step_examples: Sequence[InterleavedExample] = ()


@dataclass
class InterleavedTask:
    """Scheduled interleaved training as train/adamw.py takes it."""

    llm: SpeechLlm
    train: Dump | Dumps | Subset
    dev: Dump | Dumps | Subset
    interleaving: Interleaving
    batch_size: int
    accum_grad: int
    device: torch.device | str
    probe_every: int = 0

    @property
    def model(self) -> PreTrainedModel:
        return self.llm.model

    def batches(self, step: int) -> list[Batch]:
        ratio, seed = self._ratio(step), self.interleaving.seed
        indices = batch_at(range(len(self.train)), step, self.batch_size, seed)
        examples = [self._draw(self.train[index], ratio, step) for index in indices]
        # Examples of similar lengths share a micro-batch, so that there is little padding.
        examples.sort(key=_length)
        return [
            self._collate(part, examples) for part in share(examples, self.accum_grad)
        ]

    def num_targets(self, batch: Batch) -> int:
        return batch.num_targets

    def loss_sum(self, batch: Batch) -> torch.Tensor:
        """Cross-entropy summed over targets, and a mixture of experts' loss times them."""
        loss, _, routers = self._losses(batch)
        return loss + routers * batch.num_targets

    def metrics(self, step: int, batches: Sequence[Batch]) -> dict[str, float]:
        step_examples = batches[0].step_examples
        metrics = {
            "tokens": sum(
                _length(each) for batch in batches for each in batch.examples
            ),
            "text_ratio": self._ratio(step),
        }
        metrics |= _mean_realised(step_examples)
        if len(self.interleaving.tasks) > 1:  # Figure 3 shows the blocks of one task
            return metrics
        layout = self.interleaving.tasks[0].layout
        blocks = [each.example.blocks for each in step_examples]
        metrics |= probe.length_ratios(layout, blocks)
        probes = layout.two_fold_sides and self.probe_every
        if probes and step % self.probe_every == 0:
            probed = self._probe_batch(step)
            blocks = [each.example.blocks for each in probed.examples]
            lengths = probe.length_ratios(layout, blocks)
            metrics |= {f"probe_{name}": ratio for name, ratio in lengths.items()}
            ids, mask = probed.input_ids, probed.attention_mask
            metrics |= probe.similarities(layout, ids, mask, blocks, self.model)
        return metrics

    def evaluate(self) -> dict[str, float]:
        """Dev loss and accuracy per token at text ratio 0, which inference sees."""
        total, correct, targets = 0.0, 0, 0
        examples = [
            self._draw(self.dev[index], 0.0, 0) for index in range(len(self.dev))
        ]
        examples.sort(key=_length)
        size = max(1, self.batch_size // self.accum_grad)
        for part in chunks(examples, size):
            batch = self._collate(part)
            loss, hits, _ = self._losses(batch)
            total += loss.item()
            correct += int(hits)
            targets += batch.num_targets
        sums = parallel.sums({"loss": total, "correct": correct, "targets": targets})
        return {
            "loss": sums["loss"] / sums["targets"],
            "accuracy": sums["correct"] / sums["targets"],
        }

    def save(self, directory: Path) -> None:
        self.llm.save(directory)

    def sample(self) -> torch.Tensor:
        return self.llm.sample()

    def sample_saved(self, directory: Path) -> torch.Tensor:
        return SpeechLlm.load(directory).sample()

    def _ratio(self, step: int) -> float:
        return text_ratio(self.interleaving.schedule, step)

    def _draw(
        self, utterance: Utterance, ratio: float, step: int
    ) -> InterleavedExample:
        return draw_example(utterance, ratio, step, self.interleaving, self.llm)

    def _probe_batch(self, step: int) -> Batch:
        """The same dev utterances at every step, with the text ratio of this step."""
        indices = range(min(NUM_PROBED, len(self.dev)))
        ratio = self._ratio(step)
        return self._collate([self._draw(self.dev[k], ratio, step) for k in indices])

    def _collate(
        self,
        examples: Sequence[InterleavedExample],
        step_examples: Sequence[InterleavedExample] = (),
    ) -> Batch:
        longest = max(map(_length, examples))
        ids = np.full((len(examples), longest), self.llm.vocabulary.pad)
        labels = np.full((len(examples), longest), IGNORE)
        mask = np.zeros((len(examples), longest), dtype=np.int64)
        for row, each in enumerate(examples):
            length = _length(each)
            ids[row, :length] = each.example.ids
            labels[row, :length] = each.example.labels
            mask[row, :length] = 1
        return Batch(
            input_ids=torch.from_numpy(ids).to(self.device),
            attention_mask=torch.from_numpy(mask).to(self.device),
            labels=torch.from_numpy(labels).to(self.device),
            num_targets=int((labels[:, 1:] != IGNORE).sum()),
            examples=examples,
            step_examples=step_examples,
        )

    def _losses(
        self, batch: Batch
    ) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor | float]:
        """Summed cross-entropy, number of right tokens, and the mean loss of routers.

        Logits are computed only at positions that have a loss.
        """
        labels = batch.labels[:, 1:]
        wanted = labels != IGNORE
        with self.llm.autocast():
            output = self.llm.backbone(
                input_ids=batch.input_ids,
                attention_mask=batch.attention_mask,
                use_cache=False,
            )
            logits = self.llm.logits(output.last_hidden_state[:, :-1][wanted])
            routers = router_loss(self.model, output, batch.attention_mask)
        targets = labels[wanted]
        loss = torch.nn.functional.cross_entropy(logits, targets, reduction="sum")
        return loss, (logits.detach().argmax(-1) == targets).sum(), routers


def _length(example: InterleavedExample) -> int:
    return len(example.example.ids)


def _mean_realised(examples: Sequence[InterleavedExample]) -> dict[str, float]:
    """Mean share of words shown as text, by side, over the examples that speak it."""
    sides = dict.fromkeys(side for each in examples for side in each.realised)
    return {
        f"realised_{side}": float(
            np.mean([each.realised[side] for each in examples if side in each.realised])
        )
        for side in sides
    }
