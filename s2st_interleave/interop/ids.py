"""Matches the names that other toolkits give to utterances with ids of a data directory.

A name that is an id stands for that utterance. Other names and ids are compared without
folder and endings of audio: `clips/a.mp3.wav`, as in fairseq's manifest of CVSS, is `a`.
They match only if exactly one name and one id are equal in this way.
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
    """Names by id; for ids with several similar names, the reason; names without an id."""

    names: dict[str, str]
    unclear: dict[str, str]
    others: tuple[str, ...]

    def missing(self) -> str:
        """The end of a message about an id without a name: an example of other names."""
        return f" (of no utterance is '{self.others[0]}')" if self.others else ""


def match_ids(names: Iterable[str], ids: Iterable[str]) -> Match:
    """Match `names` with `ids`."""
    given, wanted = set(names), set(ids)
    matched = {name: name for name in given & wanted}
    by_bare: dict[str, tuple[list[str], list[str]]] = {}
    for position, unmatched in enumerate((given - wanted, wanted - given)):
        for name in sorted(unmatched):
            by_bare.setdefault(bare(name), ([], []))[position].append(name)
    unclear, others = {}, []
    for similar_names, similar_ids in by_bare.values():
        if len(similar_names) == len(similar_ids) == 1:
            matched[similar_ids[0]] = similar_names[0]
            continue
        others += similar_names
        if similar_names:
            first = ", ".join(similar_names[:3])
            reason = f"several names are like ids: {first}"
            unclear |= dict.fromkeys(similar_ids, reason)
    return Match(matched, unclear, tuple(sorted(others)))
