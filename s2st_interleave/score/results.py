"""RESULTS.md and the terminal's table, rendered from score records; pure text."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from s2st_interleave.files import GENERATED
from s2st_interleave.score.columns import (
    cell,
    differs,
    digits,
    has_papers_task,
    heading,
    interval,
    keys,
    lower_is_better,
    number,
)
from s2st_interleave.score.comparable import check
from s2st_interleave.score.published import CITATION, paper_rows
from s2st_interleave.score.records import Comparison, SystemScore, ToplineScore
from s2st_interleave.text_table import table

HEADER = f"{GENERATED}s2st_interleave results; do not edit -->"


@dataclass(frozen=True)
class Environment:
    """Where and when the results were made; the caller reads the clock and git."""

    date: str
    python: str
    packages: tuple[tuple[str, str], ...]
    git_hash: str
    git_dirty: bool
    seed: int
    config: str


@dataclass(frozen=True)
class Results:
    """All that RESULTS.md shows about one pair and split.

    `topline` is None for systems that answer in text alone, or where it was not scored.
    `baseline` is the system others are compared with. `src_lang` picks the paper's row; a
    language the paper does not have shows all of them. `corpus_note` is a paragraph that
    says what the corpus is, or "".
    """

    title: str
    src_lang: str
    corpus_note: str
    environment: Environment
    topline: ToplineScore | None
    systems: tuple[SystemScore, ...]
    comparisons: tuple[Comparison, ...]
    baseline: str = "baseline"
    best_is_last: frozenset[str] = frozenset()  # systems with one checkpoint for both


def render_markdown(results: Results) -> str:
    """Return the text of RESULTS.md.

    Raises MissingScoreError where systems or a comparison are missing, and
    UserError where scores were not made in the same way.
    """
    topline = results.topline
    check(results.systems, topline, results.comparisons, results.baseline)
    split = (
        f"({results.systems[0].split}, {results.systems[0].num_utterances} utterances)"
    )
    sections = [
        HEADER,
        f"# {results.title}",
        results.corpus_note,
        "## Environment",
        _environment(results.environment),
    ]
    if topline is not None:
        sections += [f"## Toplines {split}", markdown_table(*_topline_rows(topline))]
    sections += [
        f"## Systems {split}",
        markdown_table(*_system_rows(results.systems, topline, results.best_is_last)),
        _scoring_note(results.systems),
        f"## Differences to `{results.baseline}`",
        _comparisons(results.comparisons),
    ]
    if has_papers_task(results.systems) and results.src_lang != "en":
        sections += [
            "## The paper's figures (not ours)",
            markdown_table(*paper_rows(results.src_lang)),
            f"ASR-BLEU by Whisper large-v3 / UTMOS, as printed in {CITATION}.",
        ]
    return "\n\n".join(sections) + "\n"


def render_terminal(results: Results) -> str:
    """Return the systems table in aligned columns, with the toplines of speech below.

    Raises as `render_markdown` does.
    """
    topline = results.topline
    check(results.systems, topline, results.comparisons, results.baseline)
    header, body = _system_rows(results.systems, topline, results.best_is_last)
    lines = [table(header, body)]
    if topline is not None:
        lines.append(
            f"reference {topline.reference_asr_bleu:.1f}, "
            f"resynthesis {topline.resynthesis_asr_bleu:.1f} ASR-BLEU"
        )
    return "\n".join(lines) + "\n"


def _environment(environment: Environment) -> str:
    dirty = " (with uncommitted changes)" if environment.git_dirty else ""
    packages = ", ".join(f"{name} {version}" for name, version in environment.packages)
    lines = (
        f"- date: {environment.date}",
        f"- git: `{environment.git_hash}`{dirty}",
        f"- python: {environment.python}",
        f"- packages: {packages}",
        f"- seed: {environment.seed}",
        f"- config: `{environment.config}`",
    )
    return "\n".join(lines)


def _topline_rows(topline: ToplineScore) -> tuple[list[str], list[list[str]]]:
    reference, resynthesis = topline.reference_asr_bleu, topline.resynthesis_asr_bleu
    return ["topline", "BLEU", "of reference", "MOS"], [
        [
            "ASR on the reference audio",
            f"{reference:.1f}",
            _ratio(1, 1),
            number(topline.reference_mos, 2),
        ],
        [
            "ASR on the reference units through the vocoder (resynthesis)",
            f"{resynthesis:.1f}",
            _ratio(resynthesis, reference),
            number(topline.resynthesis_mos, 2),
        ],
        [
            "text of the LLM on the reference transcript (cascade)",
            number(topline.cascade_text_bleu),
            "",
            "",
        ],
    ]


def _system_rows(
    systems: Sequence[SystemScore],
    topline: ToplineScore | None,
    best_is_last: frozenset[str],
) -> tuple[list[str], list[list[str]]]:
    """Header and rows; raises UserError as `columns.keys` does."""
    columns = keys(systems)
    headings = [heading(key, systems) for key in columns]
    by_topline = topline is not None and any(s.asr_bleu is not None for s in systems)
    header = [
        "system",
        "checkpoint",
        f"{headings[0]}, 95% interval",
        *headings[1:],
        "missing",
        *(["of resynthesis"] if by_topline else []),
        "tokens seen",
        "train seconds",
    ]
    rows = []
    for score in systems:
        whole = topline.resynthesis_asr_bleu if topline is not None else 0.0
        share = "n/a" if score.asr_bleu is None else _ratio(score.asr_bleu, whole)
        rows.append(
            [
                score.system,
                score.checkpoint
                + (
                    " (is the last)"
                    if score.checkpoint == "best" and score.system in best_is_last
                    else ""
                ),
                *(cell(score, key) for key in columns),
                _missing(score),
                *([share] if by_topline else []),
                f"{score.tokens_seen:,}",
                f"{score.train_sec:.0f}",
            ]
        )
    return header, rows


def _missing(score: SystemScore) -> str:
    long = score.num_too_long
    return f"{score.num_missing}" + (f" ({long} too long for the LLM)" if long else "")


def _scoring_note(systems: Sequence[SystemScore]) -> str:
    score, asr = systems[0], systems[0].asr
    sentences = []
    if asr is not None:
        sentences.append(
            f"ASR: {asr.backend} {asr.version}, model {asr.model} "
            f"(sha256 {asr.weights_sha256[:12]}), {asr.compute_type}, language "
            f"{asr.language}."
        )
    is_bleu = score.primary.partition(":")[0] in ("asr_bleu", "text_bleu")
    name = "BLEU" if is_bleu else heading(score.primary, systems)
    sentences.append(f"Text on both sides: {score.normalizer}.")
    if is_bleu or score.signature != score.normalizer:
        sentences.append(f"{name}: `{score.signature}`.")
    sentences.append("Intervals: bootstrap over utterances.")
    return " ".join(sentences)


def _comparisons(comparisons: Sequence[Comparison]) -> str:
    if not comparisons:
        return "Only the baseline was scored: there is nothing to compare."
    return f"{markdown_table(*_comparison_rows(comparisons))}\n\n{COMPARED}"


COMPARED = (
    "Paired bootstrap over utterances. Systems differ where the interval excludes 0; p is "
    "sacrebleu's, which is close to one-sided, so that it may be below 0.05 where they do not."
)


def _comparison_rows(
    comparisons: Sequence[Comparison],
) -> tuple[list[str], list[list[str]]]:
    names = "system,checkpoint,metric,delta,95% interval,differs,p one-sided,resamples"
    rows = [
        [
            each.system,
            each.checkpoint,
            each.metric
            + (" (lower is better)" if lower_is_better(each.metric) else ""),
            f"{each.delta:+.{digits(each.metric)}f}",
            interval(each.ci95, digits(each.metric)),
            differs(each.ci95),
            f"{each.p_value:.4f}",
            f"{each.num_resamples}",
        ]
        for each in comparisons
    ]
    return list(names.split(",")), rows


@dataclass(frozen=True)
class Table:
    """A table of a page that is no Markdown, and a note below it."""

    heading: str
    header: list[str]
    rows: list[list[str]]
    note: str = ""


def tables(
    systems: Sequence[SystemScore],
    topline: ToplineScore | None,
    comparisons: Sequence[Comparison],
    baseline: str,
    best_is_last: frozenset[str] = frozenset(),
) -> list[Table]:
    """The tables of RESULTS.md about these scores; those without rows are left out.

    Raises UserError for systems with different tasks, as `columns.keys` does.
    """
    made = []
    if systems:
        rows = _system_rows(systems, topline, best_is_last)
        made.append(Table("Systems", *rows, _scoring_note(systems)))
    if comparisons:
        heading = f"Differences to {baseline}"
        made.append(Table(heading, *_comparison_rows(comparisons), COMPARED))
    if topline is not None:
        made.append(Table("Toplines", *_topline_rows(topline)))
    return made


def markdown_table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


def _ratio(value: float, whole: float) -> str:
    return f"{100 * value / whole:.0f}%" if whole else "n/a"
