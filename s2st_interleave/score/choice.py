"""Which metrics score which blocks of a task: what its layout asks for, and what is chosen."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from s2st_interleave.config import nearest
from s2st_interleave.data.languages import language
from s2st_interleave.errors import UserError
from s2st_interleave.interleave.layout import Block, Layout
from s2st_interleave.score.evidence import role, source_of
from s2st_interleave.score.metrics import METRICS
from s2st_interleave.score.metrics.metric import Metric


@dataclass(frozen=True)
class Choice:
    """A metric on a block of the answer.

    `key` is the metric's name; where a later block could have it as well, the block's
    name stands behind it: `wer:src_text` beside the `wer` of the speech.
    """

    metric: Metric
    block: Block
    key: str


def default_metrics(layout: Layout, languages: Mapping[str, str]) -> tuple[str, ...]:
    """Keys of the metrics that follow from a task's layout, the primary one first.

    The primary one is of the answer's last block: ASR-BLEU of speech, the recogniser's
    errors where the speech only reads out what is given, BLEU of a text of the model's
    own, word or character errors of a transcript. `languages` are codes by side, which
    decide between words and characters.

    >>> default_metrics(
    ...     Layout.parse("src_speech -> src_text tgt_text tgt_speech"),
    ...     {"src": "es", "tgt": "en"},
    ... )
    ('asr_bleu', 'chrf', 'text_bleu', 'wer:src_text')
    """
    keys: list[str] = []
    last = layout.wanted[-1]
    for block in reversed(layout.wanted):
        rate = language(languages[block.side]).error_rate.lower()
        names = {
            "speech": ["asr_bleu", "chrf"],
            "text": ["text_bleu", "chrf"] if block == last else ["text_bleu"],
            "transcript": [rate],
        }[role(block, layout)]
        if block.kind == "speech" and not source_of(block, layout):
            names.insert(0, rate)
        if block == last and names == ["wer"]:
            names.append("cer")
        keys += [choose(f"{name}:{block.name}", layout).key for name in names]
    return tuple(dict.fromkeys(keys))


def choose(wanted: str, layout: Layout) -> Choice:
    """The choice that `name` or `name:block` stands for.

    A name alone means the last block of the answer that the metric applies to. Raises
    UserError for a metric that is none, a block that the task does not answer with, and
    where the metric does not apply, or wants a source that there is none of.
    """
    name, _, block_name = wanted.partition(":")
    metric = metric_of(wanted)
    fit = [block for block in layout.wanted if role(block, layout) in metric.roles]
    blocks = {block.name: block for block in fit}
    if not fit or block_name not in ("", *blocks):
        answer = " ".join(block.name for block in layout.wanted)
        raise UserError(
            f"metric '{wanted}': {name} is for a block of {' or '.join(metric.roles)}, "
            f"and task '{layout}' answers with {answer}"
        )
    block = blocks[block_name] if block_name else fit[-1]
    if "source_audio" in metric.needs or "source" in metric.needs:
        _check_source(metric, block, layout)
    key = name if block == fit[-1] else f"{name}:{block.name}"
    return Choice(metric, block, key)


def metric_of(key: str) -> Metric:
    """The metric of `name` or `name:block`; UserError where there is none."""
    name = key.partition(":")[0]
    if name not in METRICS:
        raise UserError(
            f"no metric '{name}'{nearest(name, METRICS)}; there are {' '.join(METRICS)}"
        )
    return METRICS[name]


def choices(wanted: Iterable[str], layout: Layout) -> tuple[Choice, ...]:
    """`choose` for each, and each once; the first is the primary one."""
    chosen = {choice.key: choice for choice in (choose(w, layout) for w in wanted)}
    return tuple(chosen.values())


def title(choice: Choice, layout: Layout) -> str:
    """The heading of a table's column: the block is named where it is not the last one."""
    if choice.block == layout.wanted[-1]:
        return choice.metric.title
    return f"{layout.title(choice.block)} {choice.metric.title}"


def _check_source(metric: Metric, block: Block, layout: Layout) -> None:
    source = source_of(block, layout)
    is_spoken = Block(source, "speech") in layout.given
    if not source or ("source_audio" in metric.needs and not is_spoken):
        what = "speech" if "source_audio" in metric.needs else "another side"
        raise UserError(
            f"metric '{metric.name}' wants {what} that the answer is compared with, and "
            f"task '{layout}' gives none"
        )
