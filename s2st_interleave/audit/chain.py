"""Utterances in = out + drops by reason, from stage to stage."""

from collections.abc import Callable, Iterator
from pathlib import Path

from s2st_interleave.audit.contents import vectors
from s2st_interleave.audit.finding import Audited, named
from s2st_interleave.audit.ids import compare
from s2st_interleave.audit.inputs import By, source
from s2st_interleave.audit.outputs import dropped
from s2st_interleave.data import sides
from s2st_interleave.data.kaldi import read_table
from s2st_interleave.interleave.dump import Dump
from s2st_interleave.promises import DONE

# Stages that choose, or whose answers may be missing: more may go in than come out.
CHOOSE = ("subset", "kmeans")
LOSE = (*CHOOSE, "score", "topline")


def check(audited: Audited, known: By) -> None:
    """Compare a directory's counts with each other, and with what it was made from."""
    counts = audited.counts
    where = audited.directory / DONE
    num_dropped = sum(counts["dropped"].values())
    missing = audited.facts.get("num_too_long", 0) if audited.stage == "dump" else 0
    if (
        audited.stage not in LOSE
        and counts["in"] != counts["out"] + num_dropped + missing
    ):
        wrong = f"{counts['in']} in, {counts['out']} out, {num_dropped} dropped"
        wrong += f", {missing} too long" * bool(missing)
        audited.find(where, f"its counts do not add up: {wrong}")
    elif counts["in"] < counts["out"]:
        audited.find(where, f"{counts['out']} came out of {counts['in']}")
    if audited.stage in CHECKS:
        CHECKS[audited.stage](audited, known)


def _all_in(audited: Audited, count: int, where: str) -> None:
    """Note that the stage has not read as many as the stages before it have written."""
    if audited.counts["in"] != count:
        wrong = f"{audited.counts['in']} went in, and {where} wrote {count}"
        audited.find(audited.directory / DONE, wrong)


def _sources(audited: Audited, name: str, known: By) -> Iterator[Audited]:
    """The directories that the inputs `name`, `name.0` ... are of, with their ids."""
    for key in audited.content.get("inputs", {}):
        if key.partition(".")[0] == name:
            origin = source(audited, key, known)
            if origin is not None and origin.kept is not None:
                yield origin


def _of_one(audited: Audited, known: By, name: str, what: str) -> None:
    """A stage that keeps all ids of the one that it reads, but those that it drops."""
    for origin in _sources(audited, name, known):
        assert origin.kept is not None
        _all_in(audited, len(origin.kept), origin.record.name)
        _kept(audited, origin.kept - dropped(audited), origin.record.name, what)


def _kept(audited: Audited, wanted: set[str], origin: str, what: str) -> None:
    if audited.kept is not None:
        path = audited.directory / what if what else audited.directory
        compare(audited, path, audited.kept, wanted, origin)


def _subset(audited: Audited, known: By) -> None:
    for origin in _sources(audited, "data", known):
        assert origin.kept is not None and audited.kept is not None
        _all_in(audited, len(origin.kept), origin.record.name)
        if more := audited.kept - origin.kept:
            audited.find(
                audited.directory,
                f"{named(more)} is in it, not in {origin.record.name}",
            )


def _align(audited: Audited, known: By) -> None:
    _of_one(audited, known, "data", "")


def _dump(audited: Audited, known: By) -> None:
    """A dump joins words and units; lengths of units are those of their archive."""
    align = next(_sources(audited, "align", known), None)
    units = next(_sources(audited, "units", known), None)
    if align and units:
        of_both = [e.content.get("inputs", {}).get("data") for e in (align, units)]
        what = f"{align.record.name} and {units.record.name}"
        _check_data(audited, of_both[0], of_both[1], what)
    if align is None or units is None or audited.kept is None:
        return
    assert align.kept is not None and units.kept is not None
    both = f"{align.record.name} and {units.record.name}"
    _all_in(audited, len(align.kept | units.kept), both)
    dump = Dump(audited.directory)
    wanted = (align.kept & units.kept) - dropped(audited) - dump.too_long.keys()
    _kept(audited, wanted, both, "ids.txt")
    for side in dump.sides:
        spoken = sides.read(units.directory)
        scp = sides.path_of(units.directory, "units.{}.scp", side, spoken)
        there = {name: length for name, _, length in vectors(scp.with_suffix(".ark"))}
        lengths = dict(zip(dump.ids, dump.num_units(side).tolist(), strict=True))
        wrong = {k for k, v in lengths.items() if there.get(k, v) != v}
        if wrong:
            path = audited.directory / f"{side}.units.npy"
            audited.find(path, f"{named(wrong)} has another length than in {scp.name}")


def _check_data(
    audited: Audited, data: str | None, other: str | None, what: str
) -> None:
    if data and other and data != other:
        wrong = f"{what} are of different data"
        audited.find(audited.directory / DONE, wrong)


def _train(audited: Audited, known: By) -> None:
    dumps = list(_sources(audited, "train", known))
    if len(dumps) != sum(k.split(".")[0] == "train" for k in audited.content["inputs"]):
        return
    total = sum(len(each.kept or ()) for each in dumps)
    total = audited.content["options"].get("num_utterances") or total
    _all_in(audited, total, " and ".join(each.record.name for each in dumps))


def _decode(audited: Audited, known: By) -> None:
    for origin in _sources(audited, "dump", known):
        assert origin.kept is not None
        asked = origin.kept | Dump(origin.directory).too_long.keys()
        _all_in(audited, len(asked), origin.record.name)
        _kept(audited, asked, origin.record.name, "")
    train = source(audited, "train", known)
    name = audited.facts.get("checkpoint")
    if train is None:
        return
    wanted = train.facts.get(audited.content["options"]["checkpoint"])
    if isinstance(wanted, str) and Path(wanted).name != name:
        wrong = f"it says that {name} answered, {train.record.name} has {wanted}"
        audited.find(audited.directory / DONE, wrong)


def _vocode(audited: Audited, known: By) -> None:
    _of_one(audited, known, "units", "wav.scp")
    spoken = next(_sources(audited, "units", known), None)
    vocoder = source(audited, "vocoder", known)
    if spoken and vocoder:
        codebooks = {each.facts.get("kmeans") for each in (spoken, vocoder)} - {None}
        if len(codebooks) > 1:
            wrong = f"{spoken.record.name} is of another codebook than {vocoder.record.name}"
            audited.find(audited.directory / DONE, wrong)


def _score(audited: Audited, known: By) -> None:
    for origin in _sources(audited, "data", known):
        assert origin.kept is not None
        _all_in(audited, len(origin.kept), origin.record.name)
        _kept(audited, origin.kept, origin.record.name, "utterances.tsv")
        for decode in _sources(audited, "decode", known):
            lost = origin.kept - (decode.kept or set())
            if lost:
                decode.find(
                    decode.directory,
                    f"{named(lost)} of {origin.record.name} has no answer here",
                )


def _topline(audited: Audited, known: By) -> None:
    for origin in _sources(audited, "data", known):
        assert origin.kept is not None
        _all_in(audited, len(origin.kept), origin.record.name)
        for path in sorted(audited.directory.glob("hyp.*")):
            if more := read_table(path).keys() - origin.kept:
                audited.find(
                    path, f"{named(more)} is in it, not in {origin.record.name}"
                )


def _compare(audited: Audited, known: By) -> None:
    for name in ("system", "baseline"):
        for origin in _sources(audited, name, known):
            assert origin.kept is not None
            _all_in(audited, len(origin.kept), origin.record.name)


def _vocoder(audited: Audited, known: By) -> None:
    """The vocoder and all units that it has learned from are of one codebook."""
    for name in audited.content.get("inputs", {}):
        origin = source(audited, name, known) if "units" in name else None
        if origin:
            inputs = audited.content["inputs"]
            data = inputs.get(name.replace("units", "data"))
            of = origin.content.get("inputs", {}).get("data")
            _check_data(audited, data, of, f"{origin.record.name} and its recordings")
        if origin and origin.facts.get("kmeans") != audited.facts.get("kmeans"):
            wrong = f"it learned units of another codebook than {origin.record.name}"
            audited.find(audited.directory / DONE, wrong)


CHECKS: dict[str, Callable[[Audited, By], None]] = {
    "subset": _subset,
    "align": _align,
    "units": _align,
    "dump": _dump,
    "train": _train,
    "decode": _decode,
    "vocode": _vocode,
    "vocoder": _vocoder,
    "score": _score,
    "topline": _topline,
    "compare": _compare,
}
