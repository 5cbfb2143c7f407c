"""Examples drawn the plain way: a word, a text and an utterance at a time.

It is how this toolkit drew them before they were drawn by batches, kept as the reference
that the fast way must equal to the bit, and that `benchmarks` measures it against.
"""

import hashlib
import json
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from transformers import PreTrainedTokenizerBase

from s2st_interleave.data.text import gap
from s2st_interleave.interleave.dump import Utterance
from s2st_interleave.interleave.interleaving import Interleaving
from s2st_interleave.interleave.segments import Side, uniform_spans
from s2st_interleave.interleave.sequence import IGNORE
from s2st_interleave.interleave.spans import SpanRule
from s2st_interleave.interleave.task import Task, prompt
from s2st_interleave.interleave.vocabulary import Vocabulary
from s2st_interleave.llm.fragments import ANCHORS, PROBES
from s2st_interleave.llm.model import SpeechLlm

Encode = Callable[[str], list[int]]


@dataclass(frozen=True)
class Drawn:
    ids: list[int]
    labels: list[int]
    blocks: dict[str, slice]
    task: Task
    realised: Mapping[str, float]


class Drawer:
    """Draws with one LLM, as the toolkit once did."""

    def __init__(self, llm: SpeechLlm):
        self._encode, self._vocabulary = llm.encode, llm.vocabulary
        self._inside = inner_encode(llm.tokenizer, llm.encode)

    def draw(
        self, utterance: Utterance, ratio: float, step: int, interleaving: Interleaving
    ) -> Drawn:
        seed = interleaving.seed
        task = draw_task(interleaving.tasks, seed, step, utterance.id)
        parts: dict[str, list[int]] = {}
        realised: dict[str, float] = {}
        for block in task.layout.blocks:
            side = utterance.sides[block.side]
            if block.kind == "text":
                parts[block.name] = self._encode(join(side.words))
                continue
            replaced = choose_spans(
                len(side.words),
                ratio if interleaving.sides in ("both", block.side) else 0.0,
                interleaving.span_lambda,
                interleaving.span_rule,
                generator(seed, step, utterance.id, block.side),
            )
            parts[block.name] = self._interleave(side, replaced, interleaving)
            realised[block.side] = float(replaced.mean())
        name = prompt(task, utterance.pair)
        start = self._encode(name) if name else ()
        return build_example(task, parts, realised, self._vocabulary, start)

    def _interleave(
        self, side: Side, replaced: np.ndarray, interleaving: Interleaving
    ) -> list[int]:
        uniform = interleaving.alignment == "uniform"
        spans = uniform_spans(len(side.words), len(side.units))
        ids: list[int] = []
        for start, end, words in _runs(
            len(side.units), spans if uniform else side.spans, replaced
        ):
            if not words:
                ids += self._vocabulary.unit_ids(side.units[start:end])
            elif interleaving.fill == "mask":
                ids.append(self._vocabulary.mask)
            else:
                text = join(side.words[word] for word in words)
                if words[0]:
                    text = gap(side.words[words[0] - 1], text) + text
                    ids += self._inside(text)
                else:
                    ids += self._encode(text)
        return ids


def build_example(
    task: Task,
    parts: Mapping[str, Sequence[int]],
    realised: Mapping[str, float],
    vocabulary: Vocabulary,
    prompt: Sequence[int],
) -> Drawn:
    layout = task.layout
    ids = [vocabulary.bos, *prompt]
    num_given = len(layout.given)
    blocks, learned_from = {}, 0
    for number, block in enumerate(layout.blocks, start=1):
        start = len(ids)
        ids += parts[block.name]
        blocks[block.name] = slice(start, len(ids))
        is_last = number == len(layout.blocks)
        ids.append(vocabulary.eos if is_last else vocabulary.sep)
        if number == num_given:
            learned_from = len(ids)
    labels = [IGNORE] * learned_from + ids[learned_from:]
    return Drawn(ids, labels, blocks, task, realised)


def _runs(
    num_units: int, spans: np.ndarray, replaced: np.ndarray
) -> list[tuple[int, int, list[int]]]:
    """(start_unit, end_unit, words of a maximal replaced run or nothing), in order."""
    runs: list[tuple[int, int, list[int]]] = []
    for first, last, word in segments(num_units, spans):
        if word is not None and replaced[word]:
            if word > 0 and replaced[word - 1]:  # swallow the gap between the two
                while runs[-1][2] == []:
                    runs.pop()
                start, _, words = runs.pop()
                runs.append((start, last, [*words, word]))
            else:
                runs.append((first, last, [word]))
        else:
            runs.append((first, last, []))
    return runs


def segments(num_units: int, spans: np.ndarray) -> list[tuple[int, int, int | None]]:
    """(start_unit, end_unit, word or None) of the words and of the gaps between them."""
    segments: list[tuple[int, int, int | None]] = []
    position = 0
    for word, (start, end) in enumerate(np.asarray(spans).tolist()):
        assert position <= start <= end <= num_units
        if start > position:
            segments.append((position, start, None))
        segments.append((start, end, word))
        position = end
    if position < num_units:
        segments.append((position, num_units, None))
    return segments


def choose_spans(
    num_words: int,
    ratio: float,
    span_lambda: float,
    span_rule: SpanRule,
    rng: np.random.Generator,
) -> np.ndarray:
    """Choose words to replace by their text; bool (num_words,), True where replaced.

    While the share of replaced words is <= ratio: draw a start word j among those left and
    a length l ~ Poisson(span_lambda), and replace words j..j+l. A span past the last word
    is clipped; it may run over words that are text already (their union counts).

    `literal` is that loop, which stops only after passing the ratio (the paper's
    footnote 5). `exact` replaces floor(ratio * num_words) words, and one more with the
    probability of the remainder. Ratio 0 replaces nothing under either rule, although the
    loop, read literally, would still replace one span.
    """
    replaced = np.zeros(num_words, dtype=bool)
    if ratio == 0:
        return replaced
    is_literal = span_rule == "literal"
    budget = num_words if is_literal else _exact_budget(num_words, ratio, rng)
    while _wants_more(replaced, ratio, span_rule, budget):
        start = int(rng.choice(np.flatnonzero(~replaced)))
        end = min(start + int(rng.poisson(span_lambda)), num_words - 1)
        for word in range(start, end + 1):
            if replaced.sum() < budget:  # the last span is cut to fit
                replaced[word] = True
    return replaced


def _exact_budget(num_words: int, ratio: float, rng: np.random.Generator) -> int:
    wanted = round(ratio * num_words, 9)
    whole = math.floor(wanted)
    return whole + int(rng.random() < wanted - whole)


def _wants_more(
    replaced: np.ndarray, ratio: float, span_rule: SpanRule, budget: int
) -> bool:
    count = int(replaced.sum())
    if span_rule == "exact":
        return count < budget
    return count < len(replaced) and count <= ratio * len(replaced)


def draw_task(tasks: Sequence[Task], seed: int, step: int, utterance: str) -> Task:
    """Draw one of the tasks by weight; it depends on (seed, step, utterance id) alone."""
    if len(tasks) == 1:
        return tasks[0]
    total = sum(task.weight for task in tasks)
    shares = [task.weight / total for task in tasks]
    rng = generator(seed, step, utterance, "task")
    return tasks[int(rng.choice(len(tasks), p=shares))]


def generator(*key: object) -> np.random.Generator:
    text = json.dumps([str(part) for part in key])
    digest = hashlib.blake2b(text.encode(), digest_size=16).digest()
    number = int.from_bytes(digest, "little")
    return np.random.Generator(np.random.Philox(key=number))


def join(words: Iterable[str]) -> str:
    """The text that `tokens` has cut into `words`."""
    text = ""
    for word in words:
        text += gap(text, word) + word
    return text


def inner_encode(tokenizer: PreTrainedTokenizerBase, encode: Encode) -> Encode:
    """Return an `encode` for fragments, which begin with a space after another word.

    In SentencePiece tokenizers a word begins with `▁`, and one is put before every text:
    `▁ ▁casa` for " casa". A fragment that is encoded behind an anchor gets none. Byte-level
    tokenizers encode a text as it is: for them `encode` itself is returned. Where the
    pieces of no anchor can be told from those of the fragment, the fragment is encoded like
    a text, and a piece that is only the space is left out.
    """

    def behind_anchor(text: str) -> list[int] | None:
        for anchor in ANCHORS:
            before = encode(anchor)
            ids = encode(anchor + text)
            is_kept = str(tokenizer.decode(before)).strip() == anchor
            if is_kept and ids[: len(before)] == before:
                return ids[len(before) :]
        return None

    anchored = {probe: behind_anchor(probe) for probe in PROBES}
    known = {probe: ids for probe, ids in anchored.items() if ids is not None}
    if known and all(ids == encode(probe) for probe, ids in known.items()):
        return encode

    def inside(text: str) -> list[int]:
        anchored = behind_anchor(text)
        if anchored is not None:
            return anchored
        ids, bare = encode(text), encode(text.removeprefix(" "))
        return bare if ids[-len(bare) :] == bare else ids

    return inside
