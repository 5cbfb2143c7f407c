"""Names that other toolkits give to utterances, as ids of a data directory.

A name that is an id is that utterance. Of the others folder and endings of audio are left
out, on both sides: `clips/a.mp3.wav` is `a`, as fairseq's manifest of CVSS has it. It
counts only where one name and one id are left so.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass

ENDING = re.compile(
    r"\.(wav|mp3|flac|ogg|oga|opus|m4a|mp4|aac|sph|wma|webm|aiff?)$", re.IGNORECASE
)


def bare(name: str) -> str:
    """A name without its folder and the endings of audio.

    >>> bare("/cvss/train/common_voice_pt_1.mp3.wav"), bare("v1.0_a")
    ('common_voice_pt_1', 'v1.0_a')
    """
    name = re.split(r"[/\\]", name)[-1]
    while ENDING.search(name):
        name = ENDING.sub("", name)
    return name


@dataclass(frozen=True)
class Match:
    """Names by id; why an id has none though some are like it; names of no id."""

    names: dict[str, str]
    unclear: dict[str, str]
    others: tuple[str, ...]

    def missing(self) -> str:
        """What to say of an id without a name: which names there are instead."""
        return f" (of no utterance is '{self.others[0]}')" if self.others else ""


def match_ids(names: Iterable[str], ids: Iterable[str]) -> Match:
    """Which of `names` is which of `ids`."""
    given, wanted = set(names), set(ids)
    matched = {name: name for name in given & wanted}
    by_bare: dict[str, tuple[list[str], list[str]]] = {}
    for side, left in enumerate((given - wanted, wanted - given)):
        for name in sorted(left):
            by_bare.setdefault(bare(name), ([], []))[side].append(name)
    unclear, others = {}, []
    for like, of_id in by_bare.values():
        if len(like) == len(of_id) == 1:
            matched[of_id[0]] = like[0]
            continue
        others += like
        if like:
            said = ", ".join(like[:3])
            unclear |= dict.fromkeys(of_id, f"several names are like ids: {said}")
    return Match(matched, unclear, tuple(sorted(others)))
