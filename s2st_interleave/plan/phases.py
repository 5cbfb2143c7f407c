"""The lengths of stage 6's examples at each text ratio: drawn, or reckoned without data."""

from collections import Counter
from collections.abc import Mapping, Sequence
from itertools import chain

from s2st_interleave.interleave.interleaving import Interleaving
from s2st_interleave.interleave.layout import Block
from s2st_interleave.interleave.spans import mean_share
from s2st_interleave.plan import counts
from s2st_interleave.plan.corpus import Corpus, Phase
from s2st_interleave.plan.counts import MicroBatch
from s2st_interleave.plan.cuts import NUM_STEPS, drawn_lengths, pieces
from s2st_interleave.plan.rates import Rates


def of_steps(steps: Sequence[counts.Step], factor: float = 1.0) -> list[Phase]:
    """Phases of steps that were drawn, each with the lengths of some of its steps.

    `factor`: how many steps of the training each of them stands for.
    """
    phases = []
    for phase in counts.phases(steps):
        own = steps[phase.first_step : phase.first_step + phase.num_steps]
        targets = sum(batch.targets for step in own for batch in step.micro)
        phases.append(
            Phase(
                phase.num_steps * factor,
                [step.lengths for step in own[:: -(-len(own) // NUM_STEPS)]],
                targets / phase.tokens,
            )
        )
    return phases


def of_numbers(
    interleaving: Interleaving,
    max_steps: int,
    batch_size: int,
    corpus: Corpus,
    rates: Rates,
    *,
    two_views: bool = False,
    lessons: bool = False,
) -> list[Phase]:
    """Phases of a training whose data is not there, by mean seconds and spread alone.

    With `two_views` what shows text before a text to learn is read without it as well; with
    `lessons` a teacher reads both texts of each example.
    """
    steps = Counter(
        tuple((side, round(p, 1)) for side, p in interleaving.ratios(step).items())
        for step in range(max_steps)
    )
    layouts = [task.layout for task in interleaving.tasks]
    compared = {side for layout in layouts for side in layout.read_by_texts}
    phases = []
    for ratios, number in steps.items():
        read = [(_tokens(interleaving, dict(ratios), corpus, rates), batch_size)]
        if two_views and any(ratio for side, ratio in ratios if side in compared):
            plain = dict.fromkeys(dict(ratios), 0.0)
            with_text = round(batch_size * (1 - interleaving.speech_only))
            read.append((_tokens(interleaving, plain, corpus, rates), with_text))
        if lessons:
            read.append(((2 * _text_tokens(corpus, rates)[1], 0.0), batch_size))
        drawn = [drawn_lengths(sum(each), rates, rows) for each, rows in read]
        lengths = [list(chain(*rows)) for rows in zip(*drawn, strict=True)]
        learned = sum(rows * wanted for (_, wanted), rows in read)
        share = learned / sum(rows * sum(each) for each, rows in read)
        phases.append(Phase(number, lengths, share))
    return phases


def micro_batches(
    phase: Phase, num_gpus: int, accum_grad: int, budget: int
) -> list[MicroBatch]:
    """Shapes of the micro-batches of a phase's steps, for the plan of memory."""
    return [
        MicroBatch(
            len(piece), max(piece), max(1, round(sum(piece) * phase.target_share))
        )
        for lengths in phase.lengths
        for mine in pieces(lengths, num_gpus, accum_grad, budget)
        for piece in mine
    ]


def _text_tokens(corpus: Corpus, rates: Rates) -> tuple[int, float]:
    """Words of a side, and the tokens of its text."""
    words = max(1, round(corpus.seconds * rates.words_per_sec))
    return words, words * rates.tokens_per_word


def _tokens(
    interleaving: Interleaving,
    ratios: Mapping[str, float],
    corpus: Corpus,
    rates: Rates,
) -> tuple[float, float]:
    """Mean tokens that are given and that are learned, over the tasks' layouts."""
    words, text = _text_tokens(corpus, rates)
    length, rule = interleaving.span_lambda, interleaving.span_rule
    shares = {
        side: (1 - interleaving.speech_only) * mean_share(words, ratio, length, rule)
        for side, ratio in ratios.items()
    }

    def tokens(block: Block) -> float:
        if block.kind == "text":
            return text + 1
        share = shares[block.side]
        return corpus.num_units * (1 - share) + text * share + 1

    total = sum(task.weight for task in interleaving.tasks)
    given, wanted = (
        sum(
            task.weight / total * sum(map(tokens, getattr(task.layout, part)))
            for task in interleaving.tasks
        )
        for part in ("given", "wanted")
    )
    return given + 1, wanted
