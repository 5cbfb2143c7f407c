"""Training on interleaved sequences (paper Sec. 3.2): the step decides the text ratio."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from functools import cached_property
from pathlib import Path

import torch
from transformers import PreTrainedModel
from transformers.utils import ModelOutput

from s2st_interleave import parallel
from s2st_interleave.errors import UserError
from s2st_interleave.interleave.dump import Dump, Dumps, Subset, Utterance
from s2st_interleave.interleave.interleaving import Interleaving
from s2st_interleave.interleave.length import most_tokens
from s2st_interleave.interleave.task import prompt
from s2st_interleave.llm import unit_heads
from s2st_interleave.llm.backbone import router_loss
from s2st_interleave.llm.loss import cross_entropy_sum, divergence_sum, num_right
from s2st_interleave.llm.model import SpeechLlm
from s2st_interleave.train import dev_scores, probe
from s2st_interleave.train.bad_steps import Contents
from s2st_interleave.train.batches import (
    batch_at,
    chunks,
    deal,
    in_order,
    my_places,
    share,
)
from s2st_interleave.train.collation import (
    Batch,
    collate,
    length,
    tokens_seen,
    transcript_targets,
)
from s2st_interleave.train.examples import (
    InterleavedExample,
    Ratio,
    draw_examples,
    mean_realised,
)
from s2st_interleave.train.gate import ERROR, Gate
from s2st_interleave.train.learning import MeanShares
from s2st_interleave.train.loader import Loader
from s2st_interleave.train.teacher import Teacher, with_lessons


@dataclass
class InterleavedTask:
    """Scheduled interleaved training as train/adamw.py takes it.

    A batch is cut in `accum_grad` micro-batches, or, where `batch_tokens` is not 0, in
    micro-batches of so many tokens, padding included, `accum_grad` of them or more. Each
    rank draws its share of the examples, in `num_workers` processes ahead of their step.
    A unit counts `unit_weight` times in the training's loss; the dev loss knows no weights.
    Where `consistency` is not 0, an example that shows text before a text to learn is read
    without it as well, and the loss has so many times the divergence of what is predicted
    of its texts. A `gate` lets the text ratio fall sooner than the schedule, by the lines
    that `heed` is given; a `teacher` adds what it has to say of the translation. Where
    `unit_heads_weight` is not 0 the model has heads, whose loss of further units counts so
    many times.
    """

    llm: SpeechLlm
    train: Dump | Dumps | Subset
    dev: Dump | Dumps | Subset
    interleaving: Interleaving
    batch_size: int
    accum_grad: int
    device: torch.device | str
    probe_every: int = 0
    batch_tokens: int = 0
    num_workers: int = 0
    logits_at_once: int = 0
    unit_weight: float = 1.0
    consistency: float = 0.0
    gate: Gate | None = None
    teacher: Teacher | None = None
    unit_heads_weight: float = 0.0

    def __post_init__(self) -> None:
        self._loader = Loader(self._draw_share, self.num_workers)

    def close(self) -> None:
        """End the workers."""
        self._loader.close()

    @property
    def model(self) -> PreTrainedModel:
        return self.llm.model

    def batches(self, step: int) -> list[Batch]:
        examples = in_order(self._loader(step, self.interleaving))
        # Examples of similar lengths share a micro-batch, so that there is little padding.
        examples.sort(key=length)
        return [self._collate(part, examples) for part in self._cut(examples)]

    def num_targets(self, batch: Batch) -> float:
        """How many targets there are; a unit counts `unit_weight` times."""
        if self.unit_weight == 1:
            return batch.num_targets
        num_units = int(self.llm.vocabulary.is_unit(batch.targets).sum())
        return batch.num_targets - num_units * (1 - self.unit_weight)

    def loss_sum(self, batch: Batch) -> torch.Tensor:
        """Cross-entropy summed over targets, and the weighted terms that are asked for.

        A mixture of experts' loss counts once a target, as the caller divides by the
        targets of the whole step.
        """
        with self.llm.autocast():
            output, hidden = self._states(batch)
            loss = cross_entropy_sum(
                self.model, hidden, batch.targets, self.logits_at_once, self._weights
            )
            if batch.views.shape[1]:
                first, second = (hidden.index_select(0, view) for view in batch.views)
                parted = divergence_sum(self.model, first, second, self.logits_at_once)
                loss = loss + self.consistency * parted
            if self.teacher and len(batch.taught):
                loss = loss + self.teacher.loss_sum(
                    batch, self.llm, hidden, self.logits_at_once
                )
            if self.unit_heads_weight:
                read = self.llm.vocabulary, hidden, batch.targets, batch.places
                further = unit_heads.loss_sum(self.model, *read)
                loss = loss + self.unit_heads_weight * further
            routers = router_loss(self.model, output, batch.attention_mask)
        if isinstance(routers, float):  # no mixture: a GPU need not tell the targets
            return loss
        return loss + routers * self.num_targets(batch)

    @property
    def plain_loss(self) -> bool:
        """Whether the loss of a step is cross-entropy alone, as that of dev is."""
        terms = self.consistency or self.teacher or self.unit_heads_weight
        return not terms and self.unit_weight == 1

    @cached_property
    def _weights(self) -> torch.Tensor | None:
        """The weight of each token of the vocabulary in the loss; None: all count alike."""
        if self.unit_weight == 1:
            return None
        ids = torch.arange(self.model.config.get_text_config().vocab_size)
        weights = torch.where(self.llm.vocabulary.is_unit(ids), self.unit_weight, 1.0)
        return weights.to(self.device)

    def metrics(self, step: int, batches: Sequence[Batch]) -> dict[str, float]:
        step_examples = batches[0].step_examples
        metrics = {
            "tokens": sum(
                tokens_seen(each) for batch in batches for each in batch.examples
            ),
            "text_ratio": self.interleaving.ratio(step),
        }
        metrics |= mean_realised(step_examples)
        if self.teacher:
            lessons = [each.lesson for each in step_examples if each.lesson]
            metrics["num_taught"] = sum(each.num_taught for each in lessons)
        if self.gate and self.gate.looks(step, metrics["text_ratio"]):
            metrics |= self._look(step)
        if len(self.interleaving.tasks) > 1:  # Figure 3 shows the blocks of one task
            return metrics
        layout = self.interleaving.tasks[0].layout
        blocks = [each.example.blocks for each in step_examples]
        metrics |= probe.length_ratios(layout, blocks)
        probes = layout.two_fold_sides and self.probe_every
        if probes and step % self.probe_every == 0:
            with self.llm.autocast():  # FlashAttention takes no fp32
                batch = self._probe_batch(step, self.interleaving)
                metrics |= probe.figure_3(layout, batch, self.model)
        return metrics

    def heed(self, line: Mapping[str, float]) -> None:
        """Let the text ratio fall from the next step on, where this step's line says so."""
        if self.gate and (fall := self.gate.fall(line)):
            rule = self.interleaving
            self.interleaving = replace(rule, falls=(*rule.falls, *fall))

    def _look(self, step: int) -> dict[str, float]:
        """The share of the transcripts' tokens of dev that the LLM mistakes now.

        Utterances that speech_only keeps from showing text are not at the ratio of a step,
        and those of a task without a transcript would say nothing.
        """
        rule = self.interleaving
        heard = tuple(task for task in rule.tasks if task.layout.transcribed)
        if not heard:
            return {}
        rule = replace(rule, speech_only=0.0, side_every=(), tasks=heard)
        return self._mistaken(self._probe_batch(step, rule))

    def _mistaken(self, batch: Batch) -> dict[str, float]:
        """The share of the transcripts' tokens in a batch that the LLM mistakes."""
        places = torch.from_numpy(transcript_targets(batch.examples)).to(self.device)
        was_training = self.model.training
        self.model.eval()
        with self.llm.autocast():
            _, hidden = self._states(batch)
            states, wanted = hidden[places], batch.targets[places]
            _, hits = self._judged(states, wanted)
        self.model.train(was_training)
        # One rank decides for all of them.
        return {ERROR: parallel.gathered(1 - int(hits) / len(places))[0]}

    def contents(self, step: int, batches: Sequence[Batch]) -> list[Contents]:
        """Ids, and the tensors by which a pass can be done again, a teacher's as well."""
        tensors = [f.name for f in fields(Batch) if f.type is torch.Tensor]
        return [
            (
                [each.id for each in batch.examples],
                {k: getattr(batch, k) for k in tensors},
            )
            for batch in batches
        ]

    def evaluate(self) -> dict[str, float]:
        """Dev loss and accuracy per token at text ratio 0, which inference sees."""
        return dev_scores.means(
            self._dev_parts, lambda part: self._sums(self._collate(part))
        )

    def _sums(self, batch: Batch) -> dict[str, float]:
        """What dev scores are made of, summed over the targets of a batch."""
        is_text = ~self.llm.vocabulary.is_unit(batch.targets)
        with self.llm.autocast():
            _, hidden = self._states(batch)
            loss, hits = self._judged(hidden, batch.targets)
            text_loss, _ = self._judged(hidden[is_text], batch.targets[is_text])
        sums = (loss.item(), int(hits), batch.num_targets)
        of_text = (text_loss.item(), int(is_text.sum()))
        return dict(zip(dev_scores.SUMS, sums + of_text, strict=True))

    @cached_property
    def _dev_parts(self) -> list[Sequence[InterleavedExample]]:
        """This rank's micro-batches of dev, drawn once: no step changes them."""
        mine = my_places(len(self.dev))
        dev = [self.dev[index] for index in mine]
        examples = in_order(draw_examples(dev, 0.0, 0, self.interleaving, self.llm))
        examples.sort(key=length)
        if self.batch_tokens:
            return self._cut(examples)
        return chunks(examples, max(1, self.batch_size // self.accum_grad))

    def save(self, directory: Path) -> None:
        self.llm.save(directory)

    def sample(self) -> torch.Tensor:
        return self.llm.sample()

    def sample_saved(self, directory: Path) -> torch.Tensor:
        return SpeechLlm.load(directory).sample()

    def expected(self) -> MeanShares | None:
        """The shares of words as text that a text ratio makes of this corpus.

        None where it does not say them alone: a side falls sooner, or some show no text.
        """
        rule = self.interleaving
        if rule.side_every or rule.speech_only:
            return None
        counts = {side: self.train.num_words(side) for side in self.train.sides}
        return MeanShares(counts, rule.span_lambda, rule.span_rule, rule.sides)

    def _draw_share(self, step: int, rule: Interleaving) -> list[InterleavedExample]:
        """This rank's examples of a step, in the order of the batch.

        Workers are given the rule, whose falls change, since theirs would be out of date.
        """
        indices = batch_at(range(len(self.train)), step, self.batch_size, rule.seed)
        mine = [self.train[indices[k]] for k in my_places(len(indices))]
        return self.draw_views(mine, rule.ratios(step), step, rule)

    def draw_views(
        self,
        utterances: Sequence[Utterance],
        ratio: Ratio,
        step: int,
        rule: Interleaving,
    ) -> list[InterleavedExample]:
        """Examples for the loss of a step, with all that is read of an utterance."""
        drawn = draw_examples(utterances, ratio, step, rule, self.llm)
        if self.teacher:
            drawn = with_lessons(drawn, utterances, self.teacher.prompt, self.llm)
        if not self.consistency:
            return drawn
        plain = draw_examples(utterances, 0.0, step, rule, self.llm)
        return [
            replace(one, second=other.example)
            if any(one.realised.get(k) for k in one.task.layout.read_by_texts)
            else one
            for one, other in zip(drawn, plain, strict=True)
        ]

    def _cut(
        self, examples: Sequence[InterleavedExample]
    ) -> list[Sequence[InterleavedExample]]:
        """This rank's micro-batches of examples that are sorted by length."""
        if not self.batch_tokens:
            return share(examples, self.accum_grad)
        me = parallel.ranks()
        # Two views are two rows as long as the longer one. A piece may mix examples of one
        # view and of two, and its longest row be of either: all count as the most do.
        most = max((len(example.views) for example in examples), default=1)
        lengths = [length(example) * most for example in examples]
        least = -(-self.accum_grad // me.count)
        pieces = deal(lengths, self.batch_tokens, me.count, least)[me.index]
        return [[examples[index] for index in piece] for piece in pieces]

    @cached_property
    def _probed(self) -> list[int]:
        chosen = probe.places(self.dev.dump_of, self._fits)
        if not chosen:
            most = self.llm.max_length
            fits = f" and fits the {most} positions of the LLM as text" if most else ""
            raise UserError(
                f"none of dev has a text{fits}: take another LLM, or leave out "
                "text_ratio_gate and probe_every"
            )
        return chosen

    def _fits(self, index: int) -> bool:
        """Whether this utterance of dev has all its texts, and the LLM reads it in any form.

        One without a transcript has no states to compare, nor tokens to mistake. What is too
        long at ratio 0 is not in the dump; as text some words are longer still.
        """
        utterance, encode = self.dev[index], self.llm.encode
        layouts = [task.layout for task in self.interleaving.tasks]
        texts = {b.side for each in layouts for b in each.blocks if b.kind == "text"}
        if not all(encode(utterance.sides[side].text) for side in texts):
            return False
        most = self.llm.max_length
        return most is None or all(
            most_tokens(utterance, encode, task.layout, prompt(task, utterance.pair))
            <= most
            for task in self.interleaving.tasks
        )

    def _probe_batch(self, step: int, rule: Interleaving) -> Batch:
        """The same dev utterances at every step, with the text ratio of this step."""
        utterances = [self.dev[index] for index in self._probed]
        ratios = self.interleaving.ratios(step)
        drawn = draw_examples(utterances, ratios, step, rule, self.llm)
        return self._collate(drawn)

    def _collate(
        self,
        examples: Sequence[InterleavedExample],
        step_examples: Sequence[InterleavedExample] = (),
    ) -> Batch:
        return collate(examples, self.llm.vocabulary.pad, self.device, step_examples)

    def _judged(
        self, hidden: torch.Tensor, targets: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Summed cross-entropy of targets, and how many of them have the greatest logit."""
        return num_right(self.model, hidden, targets, self.logits_at_once)

    def _states(self, batch: Batch) -> tuple[ModelOutput, torch.Tensor]:
        """The backbone's output, and its last states (num_targets, width) at `places`."""
        output = self.llm.backbone(
            input_ids=batch.input_ids,
            attention_mask=batch.attention_mask,
            use_cache=False,
        )
        states = output.last_hidden_state.flatten(0, 1)
        return output, states.index_select(0, batch.places)
