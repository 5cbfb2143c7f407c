"""Sentences of dev and test that train has as well, compared as they are spoken."""

from collections.abc import Iterable, Mapping
from pathlib import Path

from s2st_interleave.data.kaldi import DataDir
from s2st_interleave.data.text import same_when_spoken
from s2st_interleave.errors import UserError

NUM_SHOWN = 5
Texts = Mapping[str, str]  # by utterance id


def overlap(texts: Texts, train: Texts) -> dict[str, str]:
    """An utterance of train for each of `texts` that says what it says, by id.

    >>> overlap({"a": "Sí.", "b": "no"}, {"c": "si\\u0301 ", "d": "nunca"})
    {'a': 'c'}
    """
    known: dict[str, str] = {}
    for utterance in sorted(train):
        known.setdefault(same_when_spoken(train[utterance]), utterance)
    known.pop("", None)
    spoken = {k: same_when_spoken(texts[k]) for k in sorted(texts)}
    return {k: known[said] for k, said in spoken.items() if said in known}


def report(split: str, texts: Mapping[str, Texts], train: Mapping[str, Texts]) -> dict:
    """Number of utterances of `split` that train has, by role; said where any."""
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
    """The same of a data directory and those beside it that are finished, by split."""
    others = ("dev", "test") if split == "train" else ("train",)
    own, counts = texts_of(data.path, data.sides), {}
    for other in others:
        beside = texts_of(data.path.with_name(other), data.sides)
        if beside and split == "train":
            counts[other] = report(other, beside, own)
        elif beside:
            counts[split] = report(split, own, beside)
    return counts


def texts_of(directory: Path, roles: Iterable[str]) -> dict[str, Texts]:
    """Texts of those sides that a directory has, if it is there."""
    data = DataDir(directory)
    try:
        known = data.sides
    except (FileNotFoundError, UserError):  # none of ours
        return {}
    having = [r for r in roles if r in known and data.file("text", r).is_file()]
    return {role: data.texts(role) for role in having}
