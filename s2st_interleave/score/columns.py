"""Columns of the systems' table: one for each score that a system has."""

from collections.abc import Iterable, Sequence

from s2st_interleave.errors import UserError
from s2st_interleave.interleave.layout import DIRECT, S2ST, Layout
from s2st_interleave.score.choice import choose, title
from s2st_interleave.score.metrics import METRICS
from s2st_interleave.score.metrics.metric import Metric
from s2st_interleave.score.records import SystemScore

# What a table of the paper's task shows, also where a system has no such score.
PAPERS = ("asr_bleu", "chrf", "{rate}:src_text", "text_bleu", "mos")


def keys(systems: Sequence[SystemScore]) -> list[str]:
    """Keys of the columns, the primary one first.

    Raises UserError where the systems have different tasks, or some transcripts were
    scored in words and some in characters.
    """
    primary = {score.primary for score in systems}
    if len(primary) > 1:
        raise UserError(
            f"systems with different tasks, scored by {' and '.join(sorted(primary))}, "
            "do not share a table: give them pages of their own"
        )
    there = dict.fromkeys(key for score in systems for key in score.scores)
    rates = [rate for rate in ("wer", "cer") if f"{rate}:src_text" in there]
    if len(rates) > 1:
        raise UserError(
            "some transcripts were scored in words (WER) and some in characters (CER): "
            "run stage 9 again"
        )
    known: Iterable[str] = ()
    if primary == {"asr_bleu"} and has_papers_task(systems):
        known = [key.format(rate=(rates or ["wer"])[0]) for key in PAPERS]
    return list(dict.fromkeys([*primary, *known, *there]))


def has_papers_task(systems: Sequence[SystemScore]) -> bool:
    """Whether the paper has figures for a task like theirs, which is into English."""
    return any(
        score.layout in (S2ST, DIRECT) and score.asr and score.asr.language == "en"
        for score in systems
    )


def heading(key: str, systems: Sequence[SystemScore]) -> str:
    """A column's heading; of a metric that this version does not know, its key."""
    if _metric(key) is None:
        return key
    owners = [score.layout for score in systems if key in score.scores]
    layout = Layout.parse(owners[0] if owners else S2ST)
    return title(choose(key, layout), layout)


def cell(score: SystemScore, key: str, *, all_intervals: bool = False) -> str:
    """A system's score, "n/a" where it has none.

    Its interval stands behind the primary score, or behind each that has one.
    """
    of_key = score.scores.get(key)
    if of_key is None:
        return "n/a"
    text = number(of_key.value, digits(key))
    if of_key.ci95 and (all_intervals or key == score.primary):
        text += f" {interval(of_key.ci95, digits(key))}"
    return text


def number(value: float | None, num_digits: int = 1) -> str:
    return "n/a" if value is None else f"{value:.{num_digits}f}"


def digits(key: str) -> int:
    metric = _metric(key)
    return metric.digits if metric else 1


def lower_is_better(key: str) -> bool:
    metric = _metric(key)
    return metric is not None and metric.higher_is_better is False


def interval(ci95: tuple[float, float], num_digits: int = 1) -> str:
    return f"[{ci95[0]:.{num_digits}f}, {ci95[1]:.{num_digits}f}]"


def differs(ci95: tuple[float, float]) -> str:
    """Whether a difference is claimed: where its interval excludes 0."""
    return "no" if ci95[0] <= 0 <= ci95[1] else "yes"


def _metric(key: str) -> Metric | None:
    """None for a metric that another version had."""
    return METRICS.get(key.partition(":")[0])
