"""Matches the names that other toolkits give to utterances with ids of a data directory.

A name that is an id stands for that utterance. Other names and ids are compared without
folder and endings of audio: `clips/a.mp3.wav`, as in fairseq's manifest of CVSS, is `a`.
So is an accent, which a Mac stores apart from its letter.
They match only if exactly one name and one id are equal in this way. A file that
export_textgrids has named stands for its utterance, whatever characters its id has.
"""

import hashlib
import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass

ENDING = re.compile(
    r"\.(wav|mp3|flac|ogg|oga|opus|m4a|mp4|aac|sph|wma|webm|aiff?)$", re.IGNORECASE
)


def bare(name: str) -> str:
    """A name without its folder and the endings of audio, in Unicode's NFC.

    >>> bare("/cvss/train/common_voice_pt_1.mp3.wav"), bare("v1.0_a")
    ('common_voice_pt_1', 'v1.0_a')
    """
    name = re.split(r"[/\\]", unicodedata.normalize("NFC", name))[-1]
    while ENDING.search(name):
        name = ENDING.sub("", name)
    return name


# No part of a file's name on one system or another: "%" is, but stands for itself nowhere.
UNFIT = re.compile(r'[%/\\<>:"|?*\x00-\x1f\x7f]|^\.|[. ]$')
MOST_BYTES = 200  # file systems have room for 255, with the ending


def file_name(utterance: str) -> str:
    """A name for a file of an utterance, in one folder, which no other id has.

    >>> file_name("../clips/año 1.mp3"), file_name("50%")
    ('%2E.%2Fclips%2Faño 1.mp3', '50%25')
    """
    name = UNFIT.sub(lambda found: f"%{ord(found[0]):02X}", utterance) or "%"
    if len(name.encode()) <= MOST_BYTES:
        return name
    start = name.encode()[: MOST_BYTES // 2].decode(errors="ignore")
    return f"{start}%~{hashlib.sha256(utterance.encode()).hexdigest()}"


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
    files = {file_name(name): name for name in wanted}
    matched = {files[name]: name for name in given & files.keys()}
    given -= set(matched.values())
    matched |= {name: name for name in (given & wanted) - matched.keys()}
    by_bare: dict[str, tuple[list[str], list[str]]] = {}
    left = (given - set(matched.values()), wanted - matched.keys())
    for position, unmatched in enumerate(left):
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
