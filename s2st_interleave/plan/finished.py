"""Seconds of a finished recipe on CPU cores, beside those that the plan's parts give."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from s2st_interleave import record_file
from s2st_interleave.data import kaldi
from s2st_interleave.facts import TrainFacts
from s2st_interleave.files import read_json_lines
from s2st_interleave.interleave.layout import S2ST, Layout
from s2st_interleave.plan import answer_work, networks, sizes, speech_work
from s2st_interleave.plan.corpus import Corpus, Llm, Phase
from s2st_interleave.plan.cuts import NUM_STEPS, drawn_lengths
from s2st_interleave.plan.rates import Rates
from s2st_interleave.plan.work import Work, bound, core, seconds
from s2st_interleave.promises import DONE


@dataclass(frozen=True)
class Compared:
    """Planned and real seconds of all directories of a stage, and the longest part."""

    stage: str
    planned: float
    happened: float
    longest: str


def compared(recipe: Path, rates: Rates, ranks: int) -> Iterator[Compared]:
    """A row for each stage that has finished below `recipe`.

    `ranks`: processes of stages 2, 8 and 9, and of those that make speech, a core each;
    systems of stage 6 have one each.
    """
    done = [(p.parent, record_file.read(p)) for p in sorted(recipe.glob("**/" + DONE))]
    by_stage: dict[str, list[tuple[Path, dict[str, Any]]]] = {}
    for folder, each in done:
        by_stage.setdefault(each["stage"], []).append((folder, each))
    # Seconds of all jobs are added up, and ranks are processes of one machine.
    rates = replace(rates, loaders=1, node_link=rates.core_link)
    device, corpus = core(rates), _corpus(recipe, by_stage)
    for stage, folders in by_stage.items():
        works = _works(recipe, stage, by_stage, corpus, rates, ranks)
        if not works:
            continue
        parts = [seconds(work, device, rates) for work in works]
        longest = max(parts, key=lambda each: sum(each.values()))
        yield Compared(
            stage,
            sum(sum(each.values()) for each in parts),
            sum(each["wall_sec"] for _, each in folders),
            bound(longest),
        )


_ByStage = dict[str, list[tuple[Path, dict[str, Any]]]]


def _corpus(recipe: Path, by_stage: _ByStage) -> Corpus:
    """Utterances of the splits train, dev and test, and seconds of their recordings."""
    numbers = {folder.name: each["counts"]["out"] for folder, each in by_stage["data"]}
    data = kaldi.DataDir(recipe / "data" / "train")
    times = [s for side in data.sides for s in data.durations(side).values()]
    return Corpus(
        numbers["train"],
        numbers["dev"],
        numbers["test"],
        sum(times) / len(times),
        len(data.sides),
        networks.frame_sec(_encoder(recipe, by_stage)),
    )


def _encoder(recipe: Path, by_stage: _ByStage) -> Path:
    return recipe / by_stage["encoder"][0][1]["paths"]["encoder"]


def _works(
    recipe: Path,
    stage: str,
    by_stage: _ByStage,
    corpus: Corpus,
    rates: Rates,
    ranks: int,
) -> list[Work]:
    """The work in each directory of a stage; none for a stage that is not planned."""
    pieces = by_stage["encoder"][0][1]["options"]["num_pieces"]
    heard = {
        "encoder": _encoder(recipe, by_stage),
        "num_pieces": pieces,
        "batch_sec": 0,
    }
    voice = by_stage["vocoder"][0][1]["options"] if "vocoder" in by_stage else {}
    works = []
    known: set[tuple[str, str]] = set()
    for folder, each in by_stage[stage]:
        options = heard | each["options"]
        options.setdefault("save_every", options.get("eval_every", 100))
        number = each["counts"]["in"]
        split = replace(corpus, train=number, dev=0, test=0)
        asked = replace(corpus, train=0, dev=0, test=number)
        if stage == "data":
            work = speech_work.data(split, rates, 1)
            works.append(replace(work, starts=0))
        elif stage == "encoder":
            works.append(speech_work.encoder(options, corpus, rates, ranks))
        elif stage in ("align", "units"):
            work = speech_work.hearing(options, split, rates, 1)
            works.append(replace(work, starts=2))  # two jobs
        elif stage == "kmeans":
            works.append(speech_work.kmeans(options, corpus, rates))
        elif stage == "dump":
            works.append(replace(speech_work.dump(split, rates), starts=0))
        elif stage == "train":
            works.append(_trained(folder, options, recipe, corpus, rates))
        elif stage == "decode" and not each["facts"].get("copied_from"):
            llm = _llm(recipe / each["paths"]["train_dir"])
            layout = _layout(each["facts"])
            works.append(answer_work.decode(options, layout, llm, asked, rates, 1))
        elif stage == "vocoder":
            works.append(answer_work.vocoder(options, corpus, rates, ranks))
        elif stage == "vocode":
            spoken = number - each["facts"].get("num_copied", 0)
            asked = replace(asked, test=spoken)
            works.append(answer_work.vocode(voice, asked, rates, ranks))
        elif stage in ("score", "topline"):
            times = _num_heard(recipe, each["paths"], known)
            asr = {"asr": each["paths"]["asr"]}
            if times:
                asked = replace(asked, test=times * number)
                works.append(answer_work.score(options | asr, asked, rates, ranks))
    return works


def _num_heard(recipe: Path, paths: dict[str, str], known: set[tuple[str, str]]) -> int:
    """How many recordings of each utterance the recogniser has heard for a score.

    It hears references and their resynthesis once a split, and the answers of a checkpoint
    once, though it may be both the last and the best: those it has heard are in `known`.
    """
    if "decode_dir" not in paths:
        return 1 + ("vocode_dir" in paths)
    facts = record_file.read(recipe / paths["decode_dir"] / DONE)["facts"]
    answers = (paths["train_dir"], facts["checkpoint"])
    if answers in known or not _layout(facts).speaks:
        return 0
    known.add(answers)
    return 1


def _layout(facts: dict[str, Any]) -> Layout:
    """The task of a decode, by its facts; an earlier version named none."""
    return Layout.parse(facts.get("layout") or S2ST)


def _trained(
    folder: Path, options: dict[str, Any], recipe: Path, corpus: Corpus, rates: Rates
) -> Work:
    """Stage 6 by the tokens of its metrics; `plan` itself draws the batches."""
    lines = read_json_lines(folder / "metrics.jsonl")
    phases, size = [], options["batch_size"]
    for start in range(0, len(lines), 100):
        some = lines[start : start + 100]
        mean = sum(line["tokens"] for line in some) / len(some) / size
        targets = sum(line["num_targets"] for line in some)
        phases.append(
            Phase(
                len(some),
                drawn_lengths(mean, rates, size)[: min(NUM_STEPS, len(some))],
                targets / sum(line["tokens"] for line in some),
            )
        )
    return answer_work.train(options, _llm(folder), phases, corpus.dev, rates, 1)


def _llm(train_dir: Path) -> Llm:
    """The LLM of the last checkpoint of a training."""
    last = train_dir / TrainFacts.read(train_dir).checkpoint("last")
    rows = sizes.read_config(last).vocab_size
    return Llm(last, rows, sizes.measure(last, rows).num_weights)
