"""The doubt where many answers repeat themselves, by the measure of the report's page."""

from collections.abc import Mapping

from s2st_interleave.decode.outputs import Answer
from s2st_interleave.promises import and_more
from s2st_interleave.score.metrics.loops import LOOP, is_loop

MOST_SHARE, MIN_ANSWERS = 0.2, 5


def doubt(answers: Mapping[str, Answer]) -> str:
    """A line with the evidence where a block's texts are loops; "" where they are not."""
    blocks = dict.fromkeys(b for answer in answers.values() for b in answer.texts)
    for block in blocks:
        loops = sorted(k for k, v in answers.items() if is_loop(v.texts.get(block, "")))
        if len(loops) >= max(MIN_ANSWERS, MOST_SHARE * len(answers)):
            more = and_more(len(loops) - 1)
            return (
                f"{block} loops in {len(loops)} of {len(answers)} answers ({loops[0]}{more};"
                f" they compress {LOOP}-fold or more); look at dev_loss of the training, "
                "and at an earlier checkpoint (--checkpoint best)"
            )
    return ""
