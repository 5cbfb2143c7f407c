"""Finds sentences of dev and test that train has as well, compared as they are spoken."""

from collections.abc import Iterable, Mapping
from pathlib import Path

from s2st_interleave.data.kaldi import DataDir
from s2st_interleave.data.text import same_when_spoken
from s2st_interleave.errors import UserError

NUM_SHOWN = 5
Texts = Mapping[str, str]  # by utterance id


def overlap(texts: Texts, train: Texts) -> dict[str, str]:
    """Ids of `texts` that occur in train, each with an utterance of train with its text.

    >>> overlap({"a": "Sí.", "b": "no"}, {"c": "si\\u0301 ", "d": "nunca"})
    {'a': 'c'}
    """
    known: dict[str, str] = {}
    for utterance in sorted(train):
        known.setdefault(same_when_spoken(train[utterance]), utterance)
    known.pop("", None)
    spoken = {k: same_when_spoken(texts[k]) for k in sorted(texts)}
    return {k: known[form] for k, form in spoken.items() if form in known}


def report(split: str, texts: Mapping[str, Texts], train: Mapping[str, Texts]) -> dict:
    """Count and print the utterances of `split` whose text train has as well, by role."""
    counts = {}
    for role in texts.keys() & train.keys():
        same = overlap(texts[role], train[role])
        counts[role] = len(same)
        if same:
            first = ", ".join(f"{k} (train: {same[k]})" for k in list(same)[:NUM_SHOWN])
            print(
                f"data: {len(same)} of {len(texts[role])} {split} utterances have "
                f"their {role} text in train as well: {first}"
                f"{' ...' if len(same) > NUM_SHOWN else ''}",
                flush=True,
            )
    return dict(sorted(counts.items()))


def report_beside(data: DataDir, split: str) -> dict:
    """As `report`, for the splits beside a data directory that are finished, by split."""
    others = ("dev", "test") if split == "train" else ("train",)
    texts, counts = texts_of(data.path, data.sides), {}
    for other in others:
        beside = texts_of(data.path.with_name(other), data.sides)
        if beside and split == "train":
            counts[other] = report(other, beside, texts)
        elif beside:
            counts[split] = report(split, texts, beside)
    return counts


def texts_of(directory: Path, roles: Iterable[str]) -> dict[str, Texts]:
    """Texts by role and utterance id of the sides that a directory has; {} without it."""
    data = DataDir(directory)
    try:
        known = data.sides
    except (FileNotFoundError, UserError):  # it is missing, or no data directory
        return {}
    there = [r for r in roles if r in known and data.file("text", r).is_file()]
    return {role: data.texts(role) for role in there}
