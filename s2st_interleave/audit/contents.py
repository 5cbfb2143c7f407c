"""Which utterances the files of a directory hold, and whether these files agree."""

import struct
from collections import Counter
from pathlib import Path

from s2st_interleave import record_file
from s2st_interleave.audit import ids
from s2st_interleave.audit.finding import Audited, named
from s2st_interleave.audit.ids import agree, compare, files, table
from s2st_interleave.audit.outputs import dropped
from s2st_interleave.data import ark
from s2st_interleave.files import json_lines, read_json
from s2st_interleave.interleave.dump import Dump
from s2st_interleave.promises import DONE


def of_data(audited: Audited) -> None:
    """Tables of stage 1, and that their recordings are there."""
    tables = files(audited, "text.{}", "wav.scp.{}", "utt2dur.{}", "utt2level.{}")
    tables["utt2spk"] = audited.directory / "utt2spk"
    by_file = {name: set(table(audited, path)) for name, path in tables.items()}
    audited.kept = agree(audited, by_file)
    speakers = table(audited, audited.directory / "spk2utt")
    spoken = Counter(u for some in speakers.values() for u in some.split())
    path = audited.directory / "spk2utt"
    compare(audited, path, set(spoken), audited.kept, "utt2spk")
    for name, path in files(audited, "faults.{}").items():
        unknown = set(table(audited, path)) - audited.kept
        if unknown:
            audited.find(path, f"{named(unknown)} is in it, and not in text: {name}")


def of_align(audited: Audited) -> None:
    paths = files(audited, "words.{}.jsonl")
    found = {name: ids.json_ids(audited, path) for name, path in paths.items()}
    audited.kept = agree(audited, found)


def of_units(audited: Audited) -> None:
    """Scp and ark of stage 4: the same ids, each at its place."""
    found = {}
    for name, path in files(audited, "units.{}.scp").items():
        places = table(audited, path)
        found[name] = set(places)
        _check_ark(audited, path.with_suffix(".ark"), places)
    audited.kept = agree(audited, found)


def _check_ark(audited: Audited, path: Path, places: dict[str, str]) -> None:
    """Compare the places in an scp with where the vectors of its archive begin."""
    begins = {name: begin for name, begin, _ in vectors(path)}
    for utterance, place in places.items():
        if begins.get(utterance) != ark.split(place)[1]:
            audited.find(path, f"{utterance} does not begin at {place}")
            return
    if more := begins.keys() - places.keys():
        audited.find(path, f"{named(more)} is in it, and not in its scp")


def vectors(path: Path) -> list[tuple[str, int, int]]:
    """Id, place and length of each int32 vector of a Kaldi archive; nothing is decoded.

    Raises ValueError where it is cut.
    """
    content = path.read_bytes()
    made, place = [], 0
    while place < len(content):
        start, end = place, content.index(b" ", place)
        begin = end + 1
        if content[begin : begin + 3] != b"\0B\4":
            raise ValueError(f"{path}: no vector of int32 at byte {begin}")
        (length,) = struct.unpack_from("<i", content, begin + 3)
        place = begin + 7 + 5 * length
        if place > len(content):
            raise ValueError(f"{path}: it is cut off")
        made.append((content[start:end].decode(), begin, length))
    return made


def of_dump(audited: Audited) -> None:
    """The arrays of stage 5 fit one another; Dump itself says so."""
    dump = Dump(audited.directory)
    found = dump.ids
    path = audited.directory / "ids.txt"
    if twice := {k for k, count in Counter(found).items() if count > 1}:
        audited.find(path, f"{named(twice)} is in it twice")
    audited.kept = agree(audited, {"ids.txt": set(found)})
    if both := audited.kept & dump.too_long.keys():
        audited.find(path, f"{named(both)} is in it, and in too_long")
    for name in dump.sides:
        noted = audited.facts.get(f"num_units_{name}")
        count = int(dump.num_units(name).sum())
        if noted not in (None, count):
            wrong = f"it holds {count} units, {DONE} says {noted}"
            audited.find(audited.directory / f"{name}.units.npy", wrong)


def of_train(audited: Audited) -> None:
    """The last line of metrics.jsonl is of the last step, and the steps follow."""
    path = audited.directory / "metrics.jsonl"
    steps = [int(line["step"]) for line in json_lines(path)] if path.is_file() else []
    if audited.facts["num_steps"] and not steps:
        audited.find(path, "it is gone, or empty")
    elif steps and steps[-1] + 1 != audited.facts["num_steps"]:
        last = audited.facts["num_steps"]
        audited.find(
            path, f"it ends with step {steps[-1] + 1}, the training with {last}"
        )
    elif steps != sorted(set(steps)):
        audited.find(path, "its steps do not follow one another")


def of_decode(audited: Audited) -> None:
    """Texts and units of stage 7: one line an utterance in each."""
    folder = audited.directory
    paths = [*folder.glob("text.*"), *folder.glob("units.*.scp")]
    found = {}
    for path in sorted(paths):
        rows = table(audited, path)
        found[path.name] = set(rows)
        if path.suffix == ".scp":
            _check_ark(audited, path.with_suffix(".ark"), rows)
    if found:  # an earlier version had other names
        audited.kept = agree(audited, found)


def of_vocode(audited: Audited) -> None:
    """Each utterance has its recording, and each recording its line."""
    rows = table(audited, audited.directory / "wav.scp")
    audited.kept = agree(audited, {"wav.scp": set(rows)})
    both = audited.kept & dropped(audited)
    if both:
        audited.find(
            audited.directory / "wav.scp", f"{named(both)} is in it, and dropped"
        )


def of_score(audited: Audited) -> None:
    """utterances.tsv, the counts and the hypotheses, and score.json beside the decode."""
    folder = audited.directory
    rows = table(audited, folder / "utterances.tsv", "\t")
    rows.pop("id", None)
    audited.kept = set(rows)
    if (folder / "counts.npz").is_file():
        found = ids.npz_ids(folder / "counts.npz")
        compare(audited, folder / "counts.npz", found, audited.kept, "utterances.tsv")
    if (folder / "hyp").is_file():
        more = set(table(audited, folder / "hyp")) - audited.kept
        if more:
            audited.find(folder / "hyp", f"{named(more)} is in it, and was not asked")
    if len(audited.kept) != audited.counts["in"]:
        wrong = f"it holds {len(audited.kept)} utterances, {audited.counts['in']} were asked"
        audited.find(folder / "utterances.tsv", wrong)
    for decode in audited.paths("decode_dir"):
        _check_score(audited, decode)


def _check_score(audited: Audited, decode: Path) -> None:
    path = decode / "score.json"
    score, done = read_json(path), record_file.read(decode / DONE)
    wanted = {
        "num_utterances": len(audited.kept or ()),
        "checkpoint": done["options"].get("checkpoint"),
        "split": next((p.name for p in audited.paths("data_dir")), None),
        "system": next((p.name for p in audited.paths("train_dir")), None),
    }
    for key, value in wanted.items():
        if value is not None and score[key] != value:
            audited.find(path, f"its {key} is {score[key]}, and {value} was scored")


def of_topline(audited: Audited) -> None:
    for path in sorted(audited.directory.glob("hyp.*")):
        table(audited, path)


CHECKS: dict[str, ids.Check] = {
    "data": of_data,
    "subset": of_data,
    "align": of_align,
    "units": of_units,
    "dump": of_dump,
    "train": of_train,
    "decode": of_decode,
    "vocode": of_vocode,
    "score": of_score,
    "topline": of_topline,
}
