"""The training task of the paper: batches whose text ratio is a function of the step."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np

from s2st_interleave import keyed
from s2st_interleave.errors import UserError
from s2st_interleave.interleave.dump import Dump, Dumps, Subset, Utterance
from s2st_interleave.interleave.length import fits_surely, num_tokens
from s2st_interleave.interleave.schedule import Schedule, text_ratio
from s2st_interleave.interleave.sequence import (
    IGNORE,
    Example,
    build_example,
    interleave,
)
from s2st_interleave.interleave.spans import Stop, choose_spans
from s2st_interleave.interleave.task import (
    SPEECH_TO_SPEECH,
    Task,
    draw_task,
    prompt,
)
from s2st_interleave.llm.backbone import router_loss
from s2st_interleave.llm.model import SpeechLlm
from s2st_interleave.train import parallel, probe
from s2st_interleave.train.batches import batch_at, chunks, share

NUM_PROBED = 32  # dev utterances whose hidden states Fig. 3 is drawn from


@dataclass(frozen=True)
class Interleaving:
    """Everything that Sec. 3.2 and Table 3 vary, one argument each.

    `sides` is "both", "none", or the role of the only side that is interleaved.
    """

    schedule: Schedule
    span_lambda: float = 1.0
    stop: Stop = "literal"
    sides: str = "both"
    fill: Literal["text", "mask"] = "text"
    alignment: Literal["words", "uniform"] = "words"
    tasks: tuple[Task, ...] = (SPEECH_TO_SPEECH,)
    seed: int = 1

    def __post_init__(self) -> None:
        roles = dict.fromkeys(s for task in self.tasks for s in task.layout.sides)
        if self.sides not in ("both", "none", *roles):
            raise UserError(
                f"sides is '{self.sides}', wants both, none or one of {' '.join(roles)}"
            )


@dataclass(frozen=True)
class Drawn:
    """An example, its task, and the share of words shown as text, by spoken side."""

    example: Example
    task: Task
    realised: Mapping[str, float]


def draw_example(
    utterance: Utterance, ratio: float, step: int, how: Interleaving, llm: SpeechLlm
) -> Drawn:
    """The sequence of one utterance at a step; depends on (seed, step, id) alone."""
    task = draw_task(how.tasks, how.seed, step, utterance.id)
    parts: dict[str, list[int]] = {}
    realised: dict[str, float] = {}
    for block in task.layout.blocks:
        side = utterance.sides[block.side]
        if block.kind == "text":
            parts[block.name] = llm.encode(side.text)
            continue
        p = ratio if how.sides in ("both", block.side) else 0.0
        # The sides draw independently (Sec. 3.2): the side is part of the key.
        rng = keyed.generator(how.seed, step, utterance.id, block.side)
        replaced = choose_spans(len(side.words), p, how.span_lambda, how.stop, rng)
        parts[block.name] = interleave(
            side,
            replaced,
            llm.vocabulary,
            llm.encode,
            fill=how.fill,
            alignment=how.alignment,
            encode_inside=llm.encode_inside,
        )
        realised[block.side] = float(replaced.mean())
    said = prompt(task, utterance.pair)
    example = build_example(
        task.layout, parts, llm.vocabulary, prompt=llm.encode(said) if said else ()
    )
    length, most = len(example.ids), llm.max_length
    if most is not None and length > most:
        raise _too_long({utterance.id: length}, most)
    return Drawn(example, task, realised)


def check_lengths(
    utterances: Dump | Dumps | Subset, how: Interleaving, llm: SpeechLlm
) -> None:
    """UserError that names what the LLM has no positions for, as inference sees it."""
    most, found = llm.max_length, {}
    if most is None:
        return
    for index in range(len(utterances)):
        one = utterances[index]
        if not fits_surely(one, most):
            length = max(
                num_tokens(one, llm.encode, task.layout, prompt(task, one.pair))
                for task in how.tasks
            )
            if length > most:
                found[one.id] = length
    if found:
        raise _too_long(found, most)


def _too_long(lengths: Mapping[str, int], most: int) -> UserError:
    first = "\n".join(
        f"  utterance {k} makes {v} tokens" for k, v in sorted(lengths.items())[:10]
    )
    return UserError(
        f"the LLM has positions for {most} tokens, too few for {len(lengths)} utterances: "
        "take another LLM, or run stage 5 again with this --llm, which drops them from "
        "train, and with --too_long missing leaves them out of dev and test, counted as "
        f"missing:\n{first}"
    )


@dataclass
class InterleavedTask:
    """The loop's view of scheduled interleaved training."""

    llm: SpeechLlm
    train: Dump | Dumps | Subset
    dev: Dump | Dumps | Subset
    how: Interleaving
    batch_size: int
    accum_grad: int
    device: Any
    probe_every: int = 0

    @property
    def model(self) -> Any:
        return self.llm.model

    def batches(self, step: int) -> list[dict[str, Any]]:
        ratio = text_ratio(self.how.schedule, step)
        indices = batch_at(range(len(self.train)), step, self.batch_size, self.how.seed)
        drawn = [
            draw_example(self.train[index], ratio, step, self.how, self.llm)
            for index in indices
        ]
        # Alike lengths share a micro-batch: padding is work for nothing.
        drawn.sort(key=lambda one: len(one.example.ids))
        parts = [self._collate(part) for part in share(drawn, self.accum_grad)]
        return [part | {"drawn_by_all": drawn} for part in parts]

    def num_targets(self, batch: dict[str, Any]) -> int:
        return batch["num_targets"]

    def loss_sum(self, batch: dict[str, Any]) -> Any:
        """With what a mixture of experts adds to a mean over tokens, by our targets."""
        loss, _, routers = self._losses(batch)
        return loss + routers * batch["num_targets"]

    def facts(self, step: int, batches: Sequence[dict[str, Any]]) -> dict[str, float]:
        mine = [drawn for batch in batches for drawn in batch["drawn"]]
        drawn_by_all = batches[0]["drawn_by_all"]
        facts = {
            "tokens": sum(len(drawn.example.ids) for drawn in mine),
            "text_ratio": text_ratio(self.how.schedule, step),
        }
        facts |= _mean_realised(drawn_by_all)
        if len(self.how.tasks) > 1:  # Figure 3 is drawn of one task's blocks
            return facts
        layout = self.how.tasks[0].layout
        facts |= probe.length_ratios(layout, [d.example.blocks for d in drawn_by_all])
        probes = layout.two_fold_sides and self.probe_every
        if probes and step % self.probe_every == 0:
            probed = self._probe_batch(step)
            blocks = [drawn.example.blocks for drawn in probed["drawn"]]
            lengths = probe.length_ratios(layout, blocks)
            facts |= {f"probe_{name}": ratio for name, ratio in lengths.items()}
            facts |= probe.similarities(layout, probed, self.model)
        return facts

    def evaluate(self) -> dict[str, float]:
        """Dev loss and accuracy per token at text ratio 0, which is what inference sees."""
        total, correct, targets = 0.0, 0, 0
        drawn = [
            draw_example(self.dev[index], 0.0, 0, self.how, self.llm)
            for index in range(len(self.dev))
        ]
        drawn.sort(key=lambda one: len(one.example.ids))
        size = max(1, self.batch_size // self.accum_grad)
        for part in chunks(drawn, size):
            batch = self._collate(part)
            loss, hits, _ = self._losses(batch)
            total += loss.item()
            correct += int(hits)
            targets += batch["num_targets"]
        sums = parallel.sums({"loss": total, "correct": correct, "targets": targets})
        return {
            "loss": sums["loss"] / sums["targets"],
            "accuracy": sums["correct"] / sums["targets"],
        }

    def save(self, directory: Path) -> None:
        self.llm.save(directory)

    def sample(self) -> Any:
        return self.llm.sample()

    def sample_saved(self, directory: Path) -> Any:
        return SpeechLlm.load(directory).sample()

    def _probe_batch(self, step: int) -> dict[str, Any]:
        """The same dev utterances every time, as interleaved as this step's batch."""
        ratio = text_ratio(self.how.schedule, step)
        some = range(min(NUM_PROBED, len(self.dev)))
        return self._collate(
            [draw_example(self.dev[k], ratio, step, self.how, self.llm) for k in some]
        )

    def _collate(self, drawn: Sequence[Drawn]) -> dict[str, Any]:
        """Right-padded ids, mask and labels of shape (num_examples, longest)."""
        import torch

        longest = max(len(one.example.ids) for one in drawn)
        ids = np.full((len(drawn), longest), self.llm.vocabulary.pad)
        labels = np.full((len(drawn), longest), IGNORE)
        mask = np.zeros((len(drawn), longest), dtype=np.int64)
        for row, one in enumerate(drawn):
            length = len(one.example.ids)
            ids[row, :length] = one.example.ids
            labels[row, :length] = one.example.labels
            mask[row, :length] = 1
        tensors = {"input_ids": ids, "labels": labels, "attention_mask": mask}
        batch = {k: torch.from_numpy(v).to(self.device) for k, v in tensors.items()}
        return batch | {
            "num_targets": int((labels[:, 1:] != IGNORE).sum()),
            "drawn": drawn,
        }

    def _losses(self, batch: dict[str, Any]) -> tuple[Any, Any, Any]:
        """Summed cross-entropy, number of right tokens, and the mean loss of routers.

        Logits only where supervised.
        """
        import torch

        labels = batch["labels"][:, 1:]
        wanted = labels != IGNORE
        with self.llm.autocast():
            output = self.llm.backbone(
                input_ids=batch["input_ids"],
                attention_mask=batch["attention_mask"],
                use_cache=False,
            )
            logits = self.llm.logits(output.last_hidden_state[:, :-1][wanted])
            routers = router_loss(self.model, output, batch["attention_mask"])
        targets = labels[wanted]
        loss = torch.nn.functional.cross_entropy(logits, targets, reduction="sum")
        return loss, (logits.detach().argmax(-1) == targets).sum(), routers


def _mean_realised(drawn: Sequence[Drawn]) -> dict[str, float]:
    """Mean share of words shown as text, by side, over the examples that speak it."""
    sides = dict.fromkeys(side for each in drawn for side in each.realised)
    return {
        f"realised_{side}": float(
            np.mean([each.realised[side] for each in drawn if side in each.realised])
        )
        for side in sides
    }
