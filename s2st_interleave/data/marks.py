"""Marks of noise and the like in transcripts, such as <noise> or [laughter]."""

import unicodedata
from collections import Counter
from collections.abc import Mapping

import regex

_WORD = r"[\p{N}_/-]*\p{L}[\p{L}\p{N}_/-]*"
_WORDS = rf"{_WORD}(?: [\p{{L}}\p{{N}}_/-]+)*"
_MARK = regex.compile(rf"<{_WORD}>|\[{_WORDS}\]|\{{{_WORDS}\}}|【{_WORDS}】")
NUM_NAMED = 3


def report(texts: Mapping[str, Mapping[str, str]]) -> list[str]:
    """A warning for each side, by role, whose texts (by utterance id) hold marks."""
    lines = []
    for role, side in texts.items():
        held = {name: marks for name, text in side.items() if (marks := _marks(text))}
        if held:
            most = Counter(mark for marks in held.values() for mark in marks)
            named = " ".join(mark for mark, _ in most.most_common(NUM_NAMED))
            lines.append(
                f"warning: {len(held)} of {len(side)} {role} texts hold marks ({named}), "
                f"first {min(held)}: they are learned as words that are spoken, and "
                "scores leave most of them out; take them out of the texts if nobody says "
                "them"
            )
    return lines


def _marks(text: str) -> list[str]:
    return _MARK.findall(unicodedata.normalize("NFKC", text))
