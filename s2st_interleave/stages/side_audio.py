"""Stage 1: the 16 kHz audio of one side, converted in the order in which it is read."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from itertools import islice
from pathlib import Path
from typing import TypeVar

from s2st_interleave.data import proof
from s2st_interleave.data.archive import LARGEST, Member, Reading
from s2st_interleave.data.channels import Channels
from s2st_interleave.data.conversion import Conversion, Spoken, convert
from s2st_interleave.data.corpus import Utterance
from s2st_interleave.data.kaldi import NO_AUDIO
from s2st_interleave.data.proof import Sound
from s2st_interleave.data.sources import Reader, file_of
from s2st_interleave.data.store import PART, Store
from s2st_interleave.progress import progress

T = TypeVar("T")
R = TypeVar("R")
AHEAD = 4  # recordings that wait for each thread


@dataclass(frozen=True)
class Side:
    """A side of a split: how to read it, and where its audio goes.

    `content` are hashes of the recordings by utterance; `members` those that lie in
    archives of the corpus; `unfit` says what is wrong with a recording.
    """

    role: str
    channels: Channels
    content: Mapping[str, str]
    members: Mapping[str, Member]
    store: Store
    reader: Reader
    unfit: Callable[[str, Sound], str]


@dataclass
class Converted:
    """What was measured of a side's recordings, their faults, and places, by utterance."""

    sounds: dict[str, Sound] = field(default_factory=dict)
    faults: dict[str, str] = field(default_factory=dict)
    places: dict[str, Path] = field(default_factory=dict)


def convert_side(
    side: Side,
    utterances: Sequence[Utterance],
    *,
    dropped: Callable[[str], bool],
    drops_faults: bool,
    nj: int,
    what: str,
) -> Converted:
    """Convert a side's recordings in `nj` threads; `what` names them for the progress.

    Those that are `dropped` already are passed over, and those with a fault are not kept
    where `drops_faults`.
    """
    result = Converted()
    order = sorted(utterances, key=lambda u: _position(side, u))
    parts = [order[start : start + PART] for start in range(0, len(order), PART)]
    parts = [[u for u in part if not dropped(u.id)] for part in parts]
    spoken = _spoken(side, parts)

    def good(conversions: Iterable[Conversion]) -> Iterator[tuple[str, bytes | Path]]:
        for each in conversions:
            result.sounds[each.id], result.faults[each.id] = each.sound, each.fault
            if not (drops_faults and each.fault):
                yield each.id, each.flac

    with ThreadPoolExecutor(nj) as pool:
        done = ahead(pool, lambda s: convert(s, side.reader, side.unfit), spoken, nj)
        done = iter(progress(done, what, sum(map(len, parts))))
        for number, part in enumerate(parts, start=1):
            conversions = islice(done, len(part))
            result.places |= side.store.write(number, good(conversions))
    return result


def ahead(
    pool: ThreadPoolExecutor, work: Callable[[T], R], items: Iterable[T], nj: int
) -> Iterator[R]:
    """The results of `work` in order; few items wait, since they may be large."""
    waiting: deque[Future[R]] = deque()
    for item in items:
        waiting.append(pool.submit(work, item))
        if len(waiting) > AHEAD * nj:
            yield waiting.popleft().result()
    while waiting:
        yield waiting.popleft().result()


def _position(side: Side, utterance: Utterance) -> tuple[str, int, str]:
    """Where a recording is read: parts of a file together, archives as they are packed."""
    path = str(file_of(utterance.sides[side.role].audio))
    if member := side.members.get(path):
        return str(member.archive), member.number, utterance.id
    return path, 0, utterance.id


def _spoken(side: Side, parts: Sequence[Sequence[Utterance]]) -> Iterator[Spoken]:
    """The recordings of a side; those of archives are read here, unless they are known."""
    reading: tuple[Path, Reading] | None = None
    for number, part in enumerate(parts, start=1):
        for utterance in part:
            spoken = _of(side, utterance, number)
            member = side.members.get(str(spoken.source))
            if member and not spoken.is_lost:
                if _stays(spoken):
                    yield replace(spoken, source=None)
                    continue
                if member.bytes > LARGEST:
                    yield replace(spoken, fault=_too_large(spoken, member))
                    continue
                if reading is None or reading[0] != member.archive:
                    reading = member.archive, Reading(member.archive)
                held = reading[1].read(Path(str(spoken.source)))
                spoken = replace(spoken, source=held)
            yield spoken


def _of(side: Side, utterance: Utterance, part: int) -> Spoken:
    speech = utterance.sides[side.role]
    known = side.store.place(utterance.id)
    return Spoken(
        id=utterance.id,
        role=side.role,
        source=speech.audio,
        content=side.content[utterance.id],
        text=speech.text,
        fault=speech.fault,
        channels=side.channels,
        known=known,
        stays=known is not None and side.store.keeps(known, part),
    )


def _stays(spoken: Spoken) -> bool:
    """Is the 16 kHz audio of a recording there, and may it stay where it is?"""
    if spoken.known is None or not spoken.stays:
        return False
    return proof.read(spoken.known, spoken.made_from) is not None


def _too_large(spoken: Spoken, member: Member) -> str:
    return (
        f"{NO_AUDIO}, {spoken.role} is broken: {spoken.source} has {member.bytes} bytes, "
        f"at most {LARGEST} are read from an archive"
    )
