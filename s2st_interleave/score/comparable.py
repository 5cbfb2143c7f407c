"""Whether scores may stand in one table: made in the same way, and none missing.

A score that is not there is an error naming the stage that makes it: an empty table
looks like a result.
"""

from collections.abc import Sequence

from s2st_interleave.errors import UserError
from s2st_interleave.score.records import Comparison, SystemScore, ToplineScore


class MissingScoreError(UserError):
    """A score was not made yet; the message names the stage that makes it."""


def check(
    systems: Sequence[SystemScore],
    topline: ToplineScore | None,
    comparisons: Sequence[Comparison],
    baseline: str,
) -> None:
    """Raise MissingScoreError where a score or a comparison with `baseline` is missing,
    and UserError where scores were not made in the same way.
    """
    if not systems:
        raise MissingScoreError("no system has a score.json: stage 9 (score) makes it")
    if topline is None and any(score.asr for score in systems):
        raise MissingScoreError("no toplines: stage 9 (score) makes exp/topline")
    compared = {
        (each.system, each.baseline, each.checkpoint, each.split)
        for each in comparisons
    }
    first = systems[0]
    for score in systems:
        if topline is not None:
            _check_alike(score, _facts(topline), "the toplines")
        else:
            _check_alike(score, _facts(first), first.system)
        wanted = (score.system, baseline, score.checkpoint, score.split)
        if score.system != baseline and wanted not in compared:
            raise MissingScoreError(
                f"{score.system} ({score.checkpoint}) was not compared with "
                f"{baseline}: stage 9 (score) makes compare.json"
            )


def _facts(score: SystemScore | ToplineScore) -> dict[str, object]:
    """What has to be the same of scores in one table."""
    signature = score.signature
    if isinstance(score, SystemScore) and "asr_bleu" in score.scores:
        signature = score.scores["asr_bleu"].signature  # that of the toplines
    return {
        "split": score.split,
        "num_utterances": score.num_utterances,
        "signature": signature,
        "normalizer": score.normalizer,
        "asr": score.asr,
    }


def _check_alike(score: SystemScore, theirs: dict[str, object], name: str) -> None:
    for key, ours in _facts(score).items():
        if ours != theirs[key]:
            raise UserError(
                f"{score.system} ({score.checkpoint}) is not comparable with {name}: "
                f"{key} is {ours}, there {theirs[key]}; run stage 9 again"
            )
