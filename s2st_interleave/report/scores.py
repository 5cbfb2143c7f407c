"""The scores that a report shows, from the same files and tables as RESULTS.md."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from s2st_interleave.facts import DecodeFacts
from s2st_interleave.report.systems import (
    System,
    read_comparisons,
    read_score,
    read_system,
    read_topline,
)
from s2st_interleave.score.comparable import MissingScoreError, check
from s2st_interleave.score.records import Comparison, SystemScore
from s2st_interleave.score.results import Table, tables

NO_TOPLINES = (
    "The toplines (reference and resynthesis) were not scored: ./run.sh --toplines true "
    "does it in stages 8 and 9."
)


@dataclass(frozen=True)
class Scores:
    """Tables of all decodes, the systems of the first one, what is missing, a remark."""

    tables: tuple[Table, ...]
    systems: tuple[System, ...]
    notes: tuple[str, ...]
    remark: str


def read_scores(
    exp_dir: Path,
    names: Sequence[str],
    tags: Sequence[str],
    split: str,
    baseline: str,
    topline_dir: Path,
) -> Scores:
    """Read the scores of systems at all decode tags.

    A score that is missing is a note. Raises UserError for scores that were not made in
    the same way, and for files that are no scores.
    """
    scores: list[SystemScore] = []
    comparisons: list[Comparison] = []
    systems: list[System] = []
    notes: list[str] = []
    remark = ""
    checkpoints: dict[tuple[str, str], str] = {}
    for tag in tags:
        for name in names:
            folder = exp_dir / name / tag / split
            score = read_score(folder)
            if score is None:
                notes.append(f"{folder} has no score.json: stage 9 (score) makes it")
                continue
            scores.append(score)
            comparisons += read_comparisons(folder)
            if tag == tags[0]:
                systems.append(read_system(name, folder, score))
            checkpoints[name, score.checkpoint] = DecodeFacts.read(folder).checkpoint
    topline = read_topline(topline_dir)
    best_is_last = frozenset(
        name
        for name in names
        if checkpoints.get((name, "best"), "") == checkpoints.get((name, "last"))
    )
    made: list[Table] = []
    # Systems with different tasks do not share a table.
    for primary in dict.fromkeys(score.primary for score in scores):
        alike = [score for score in scores if score.primary == primary]
        own = {score.system for score in alike}
        compared = [each for each in comparisons if each.system in own]
        of_speech = topline if any(score.asr for score in alike) else None
        if of_speech is None and any(score.asr for score in alike):
            remark = NO_TOPLINES
        try:
            check(alike, of_speech, compared, baseline)
        except MissingScoreError as error:
            notes.append(str(error))
        made += tables(alike, of_speech, compared, baseline, best_is_last)
    return Scores(tuple(made), tuple(systems), tuple(notes), remark)
