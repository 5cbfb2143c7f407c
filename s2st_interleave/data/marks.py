"""Marks of noise and the like in transcripts, such as <noise> or [laughter]."""

from collections import Counter
from collections.abc import Mapping

import regex

_MARK = regex.compile(r"<[\p{L}_/-]+>|\[[\p{L}_ -]+\]")
NUM_NAMED = 3


def report(texts: Mapping[str, Mapping[str, str]]) -> list[str]:
    """A warning for each side, by role, whose texts (by utterance id) hold marks."""
    lines = []
    for role, side in texts.items():
        held = {
            name: marks for name, text in side.items() if (marks := _MARK.findall(text))
        }
        if held:
            most = Counter(mark for marks in held.values() for mark in marks)
            named = " ".join(mark for mark, _ in most.most_common(NUM_NAMED))
            lines.append(
                f"warning: {len(held)} of {len(side)} {role} texts hold marks ({named}), "
                f"first {min(held)}: they are learned as words that are spoken, and "
                "scores leave them out; take them out of the texts if nobody says them"
            )
    return lines
