"""Whether scores may stand in one table: made in the same way, and none missing.

A score that is not there is an error naming the stage that makes it: an empty table
looks like a result. A recipe asks whether a system can be compared with exp/baseline:

    python -m s2st_interleave.score.comparable SYSTEM/score.json BASELINE/score.json

prints nothing where it can, and why not where it was scored by something else.
"""

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from s2st_interleave.config import nearest
from s2st_interleave.errors import UserError, script
from s2st_interleave.interleave.layout import Layout
from s2st_interleave.promises import and_more
from s2st_interleave.score.choice import choose, metric_of
from s2st_interleave.score.records import Comparison, SystemScore, ToplineScore, read


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
    compared = {
        (each.system, each.baseline, each.checkpoint, each.split)
        for each in comparisons
    }
    first = systems[0]
    for score in systems:
        if topline is not None:
            _check_alike(score, topline, "the toplines")
        _check_alike(score, first, first.system)
        wanted = (score.system, baseline, score.checkpoint, score.split)
        if score.system != baseline and wanted not in compared:
            raise MissingScoreError(
                f"{score.system} ({score.checkpoint}) was not compared with "
                f"{baseline}: stage 9 (score) makes compare.json"
            )


def key_of(score: SystemScore, wanted: str) -> str:
    """The key under which a system has `name` or `name:block`.

    A block that is the last of its kind in one task's answer may not be in another's: the
    transcript's errors are `wer` of ASR, and `wer:src_text` of speech-to-speech
    translation. What a system has no score of keeps its name.
    """
    block = wanted.partition(":")[2]
    if not block or wanted in score.scores:
        return wanted
    layout = Layout.parse(score.layout)
    is_answered = block in {each.name for each in layout.wanted}
    return choose(wanted, layout).key if is_answered else wanted


def check_metric(
    system: SystemScore, other: SystemScore, key: str, names: tuple[str, str] = ("", "")
) -> None:
    """UserError where the two have no score of this metric by the same rules.

    `names` are what messages call them, if not by their systems' names.
    """
    if not metric_of(key).by_utterance:
        raise UserError(f"{key} is of the whole split: there is nothing to draw from")
    names = (names[0] or system.system, names[1] or other.system)
    both = [score.scores.get(key_of(score, key)) for score in (system, other)]
    for name, score, scored in zip(names, (system, other), both, strict=True):
        if scored is None:
            known = [k for k in score.scores if k in system.scores]
            raise UserError(
                f"{name} has no score '{key}'{nearest(key, known)}; there are "
                f"{' '.join(score.scores)}, and --metrics of stage 9 adds others"
            )
    ours, theirs = (scored.signature for scored in both if scored is not None)
    if ours != theirs:
        raise UserError(
            f"{key} of {names[0]} is by '{ours}', of {names[1]} by '{theirs}': run "
            "stage 9 again"
        )
    # The normalizer is that of the primary metric's side.
    alike = len({_primary_side(score) for score in (system, other)}) == 1
    speech = metric_of(key).roles == ("speech",)
    for what in [*["normalizer"] * alike, *["asr"] * speech]:
        ours, theirs = getattr(system, what), getattr(other, what)
        if ours != theirs:
            raise UserError(
                f"{names[0]} was scored with {what} {ours}, {names[1]} with {theirs}: "
                f"{key} does not compare; run stage 9 again"
            )


def _primary_side(score: SystemScore) -> str:
    return choose(score.primary, Layout.parse(score.layout)).block.side


def check_texts(
    ours: Mapping[str, str], theirs: Mapping[str, str], names: tuple[str, str]
) -> None:
    """UserError unless both test sets, references by utterance id, are the same.

    The message counts the utterances that only one of them has, or whose references
    differ, and names the first.
    """
    kinds = {
        f"only {names[0]} has": sorted(ours.keys() - theirs.keys()),
        f"only {names[1]} has": sorted(theirs.keys() - ours.keys()),
        "differ in their reference": sorted(
            k for k in ours.keys() & theirs.keys() if ours[k] != theirs[k]
        ),
    }
    told = [
        f"{len(ids)} utterances {what}: {', '.join(ids[:3])}{and_more(len(ids[3:]))}"
        for what, ids in kinds.items()
        if ids
    ]
    if told:
        raise UserError(
            f"{names[0]} and {names[1]} were scored on other utterances: "
            f"{'; '.join(told)}"
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


def _check_alike(
    score: SystemScore, other: SystemScore | ToplineScore, name: str
) -> None:
    theirs, compared = _facts(other), _facts(score)
    if isinstance(other, ToplineScore) and "asr_bleu" not in score.scores:
        del compared["signature"]  # the toplines have that of their BLEU alone
    for key, ours in compared.items():
        if ours != theirs[key]:
            raise UserError(
                f"{score.system} ({score.checkpoint}) is not comparable with {name}: "
                f"{key} is {ours}, there {theirs[key]}; run stage 9 again"
            )


def _tell(system: Path, baseline: Path) -> None:
    """Print why two systems have no difference: one has no primary score of the other."""
    score, other = (read(SystemScore, path) for path in (system, baseline))
    if key_of(other, score.primary) not in other.scores:
        print(
            f"{score.system} is not compared with {other.system}, which has no score "
            f"'{score.primary}'; --baseline names another one"
        )


def main(words: Sequence[str]) -> int:
    system, baseline = map(Path, words)
    return script("compare", lambda: _tell(system, baseline))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
