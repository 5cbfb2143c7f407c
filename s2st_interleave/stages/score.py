"""Stage 9: scores of a system's speech and texts, as its task asks for."""

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from s2st_interleave.config import REQUIRED, load_yaml, option
from s2st_interleave.data import kaldi
from s2st_interleave.errors import UserError
from s2st_interleave.facts import DecodeFacts, TrainFacts
from s2st_interleave.files import atomic_write, file_digest, write_json
from s2st_interleave.interleave.layout import Block, Layout
from s2st_interleave.record import digest
from s2st_interleave.score.answers import Answers
from s2st_interleave.score.asr import AsrOptions, describe
from s2st_interleave.score.choice import Choice, choices, default_metrics, title
from s2st_interleave.score.evidence import Evidence, Need, role
from s2st_interleave.score.measure import Measured, measure
from s2st_interleave.score.normalize import Normalizer
from s2st_interleave.score.records import SystemScore
from s2st_interleave.score.several import COUNTS
from s2st_interleave.stage_dir import Input, made_with, open_stage, read_done
from s2st_interleave.stage_list import stage_number
from s2st_interleave.stages.scoring import (
    ScoringOptions,
    check_languages,
    git_label,
    normalizer_inputs,
)
from s2st_interleave.stages.train import trained_task
from s2st_interleave.stages.train_options import TaskOptions


@dataclass(frozen=True, kw_only=True)
class Options(ScoringOptions):
    train_dir: Path = option(REQUIRED, "exp/<tag>")
    decode_dir: Path = option(REQUIRED, "exp/<tag>/<decode_tag>/<split>")
    vocode_dir: Path | None = option(
        None, "with the wav.scp of stage 8, where the task answers in speech"
    )
    task: Path | None = option(
        None, "conf/tasks/<name>.yaml: its metrics, where a system has its layout"
    )
    out_dir: Path = option(REQUIRED, "where score.json goes")


def run(options: Options) -> None:
    # 1. What is scored by what, and is there anything to do?
    layout = answered_layout(options)
    layout.check_one_speaks()
    _check_chain(options, layout)
    languages = languages_of(layout, options.data_dir)
    asr = _recogniser(layout, languages, options)
    task_metrics = _task_metrics(options.task, layout)
    wanted = [*(task_metrics or default_metrics(layout, languages))]
    if layout.speaks and options.mos != "none":
        wanted.append("mos")
    chosen = choices([*wanted, *options.metrics], layout)
    stage = open_stage(
        options.out_dir,
        stage="score",
        options=options,
        inputs=_inputs(options, layout, chosen, task_metrics)
        | normalizer_inputs(languages.values()),
        overwrite=options.overwrite,
    )
    if stage is None:
        return

    # 2. Hear what the system said, and measure each block by utterance id.
    answers = Answers(
        options.data_dir,
        options.decode_dir,
        options.vocode_dir if layout.speaks else None,
        layout,
        languages,
        options.tools(asr),
    )
    evidence = _evidence(answers, chosen)
    measured = {
        choice.key: measure(
            choice.metric,
            evidence[choice.block],
            num_resamples=options.num_resamples,
            seed=options.bootstrap_seed,
        )
        for choice in chosen
    }

    # 3. Write; score.json beside the decodes, where others look for it.
    primary, answer = chosen[0], evidence[chosen[0].block]
    record = _record(options, layout, asr, answer, chosen, measured)
    for block, found in evidence.items():
        if block.kind == "speech":
            kaldi.write_table(options.out_dir / "hyp", found.hypotheses)
    write_counts(options.out_dir / COUNTS, answer.ids, measured)
    write_utterance_scores(
        options.out_dir / "utterances.tsv", answer, measured, primary.key
    )
    write_json(options.decode_dir / "score.json", dataclasses.asdict(record))
    stage.finish(
        num_in=len(answer.references),
        num_out=len(answer.hypotheses),
        said=f"{len(answer.hypotheses)} of {len(answer.references)} utterances answered",
        also=[options.decode_dir / "score.json"],
    )
    print(_summary(record, title(primary, layout), measured[primary.key]))


def _check_chain(options: Options, layout: Layout) -> None:
    """Raise UserError where decode or speech were not made of what they are scored as.

    Directories of earlier versions need not tell.
    """
    links = [(options.decode_dir, "decode", "train", options.train_dir, "train")]
    if layout.speaks and options.vocode_dir is not None:
        speech = (options.vocode_dir, "vocode", "units", options.decode_dir, "decode")
        links.append(speech)
    for directory, stage, name, maker, made_by in links:
        if not made_with(directory, stage, name, maker, made_by):
            raise UserError(
                f"{directory} was not made with {maker}: score what belongs together, or "
                f"run stage {stage_number(stage)} ({stage}) again"
            )


def _recogniser(
    layout: Layout, languages: Mapping[str, str], options: Options
) -> AsrOptions | None:
    """Who hears the answers; None where they are text.

    Raises UserError, before anything is loaded, where a language cannot be scored.
    """
    wanted = {block: role(block, layout) for block in layout.wanted}
    check_languages(
        languages, {b.side for b, is_ in wanted.items() if is_ != "transcript"}
    )
    spoken = [block.side for block in wanted if block.kind == "speech"]
    return options.asr_options(languages[spoken[-1]]) if spoken else None


def _evidence(answers: Answers, chosen: Sequence[Choice]) -> dict[Block, Evidence]:
    """What each block that is scored needs for its metrics."""
    needs: dict[Block, set[Need]] = {choice.block: set() for choice in chosen}
    for choice in chosen:
        needs[choice.block] |= set(choice.metric.needs)
    return {block: answers.evidence(block, needs[block]) for block in needs}


def _record(
    options: Options,
    layout: Layout,
    asr: AsrOptions | None,
    answer: Evidence,
    chosen: Sequence[Choice],
    measured: Mapping[str, Measured],
) -> SystemScore:
    """What score.json says; `answer` is the evidence of the primary metric."""
    train_done = read_done(options.train_dir, "train")
    trained = TrainFacts.of(train_done, options.train_dir)
    decode_done = read_done(options.decode_dir, "decode")
    main = measured[chosen[0].key].score
    return SystemScore(
        system=options.train_dir.name,
        split=options.data_dir.name,
        ci95=main.ci95,
        signature=main.signature,
        num_utterances=len(answer.pairs),
        num_missing=sum(pair.missing for pair in answer.pairs),
        asr=describe(asr) if asr else None,
        normalizer=Normalizer(answer.language).name,
        checkpoint=decode_done["options"]["checkpoint"],
        seed=train_done["options"]["seed"],
        git=git_label(),
        tokens_seen=trained.tokens_seen,
        train_sec=trained.train_sec,
        num_too_long=DecodeFacts.of(decode_done, options.decode_dir).num_too_long,
        layout=str(layout),
        primary=chosen[0].key,
        metrics={key: each.score for key, each in measured.items()},
        **_by_themselves(chosen, measured, layout),
    )


def answered_layout(options: Options) -> Layout:
    """The layout of a decode; a version that knew one task wrote it in the training."""
    answered = DecodeFacts.read(options.decode_dir).layout
    return (
        Layout.parse(answered) if answered else trained_task(options.train_dir).layout
    )


def languages_of(layout: Layout, data_dir: Path) -> dict[str, str]:
    """Language codes by side of a layout; UserError for one that the data has not."""
    data = kaldi.DataDir(data_dir)
    return {side: data.sides[data.role(side)] for side in layout.sides}


def _task_metrics(path: Path | None, layout: Layout) -> tuple[str, ...]:
    """What the task's file says, if it is that of this layout."""
    if path is None:
        return ()
    task = load_yaml(path, TaskOptions)
    same = Layout.parse(task["layout"]) == layout
    return tuple(task.get("metrics", ())) if same else ()


def _inputs(
    options: Options,
    layout: Layout,
    chosen: Sequence[Choice],
    task_metrics: Sequence[str],
) -> dict[str, Input | str]:
    inputs: dict[str, Input | str] = {
        "data": Input(options.data_dir, "data"),
        "decode": Input(options.decode_dir, "decode"),
    }
    if layout.speaks:
        if options.vocode_dir is not None:
            inputs["vocode"] = Input(options.vocode_dir, "vocode")
        inputs["asr"] = options.asr_input()
    if task_metrics:
        inputs["task_metrics"] = " ".join(task_metrics)
    for choice in chosen:
        name = choice.metric.name
        if "weights" in choice.metric.needs and options.metric_weights is not None:
            folder = options.metric_weights / name
            files = sorted(p for p in folder.rglob("*") if p.is_file())
            inputs[f"weights.{name}"] = digest([file_digest(path) for path in files])
    return inputs


def _by_themselves(
    chosen: Sequence[Choice], measured: Mapping[str, Measured], layout: Layout
) -> dict[str, float | None]:
    """The scores that had keys of their own before there were many metrics."""
    values: dict[str, float | None] = dict.fromkeys(
        ("asr_bleu", "chrf", "text_bleu", "src_wer", "src_cer", "mos")
    )
    for choice in chosen:
        name = choice.metric.name
        if name in ("wer", "cer"):
            is_transcript = role(choice.block, layout) == "transcript"
            name = f"src_{name}" if is_transcript else ""
        if name in values and values[name] is None:
            values[name] = measured[choice.key].score.value
    return values


def write_counts(
    path: Path, ids: Sequence[str], measured: Mapping[str, Measured]
) -> None:
    """Write `ids`, and the counts of each metric, [num_utterances, num_counts], by key."""
    counts: dict[str, Any] = {key: each.counts for key, each in measured.items()}
    with atomic_write(path, "wb") as stream:
        np.savez_compressed(stream, ids=np.array(ids), **counts)


def write_utterance_scores(
    path: Path, answer: Evidence, measured: Mapping[str, Measured], primary: str
) -> None:
    """Write id, a score a metric, normalised reference and hypothesis; worst first.

    The texts are those of the primary metric, by whose score the rows are sorted.
    """
    scored = {k: each for k, each in measured.items() if each.metric.by_utterance}
    main = measured[primary]
    sign = -1 if main.metric.higher_is_better is False else 1

    def place(utterance: str) -> tuple[float, str]:
        score = sign * main.utterances[utterance]
        return (score if np.isfinite(score) else -np.inf, utterance)

    pairs = {pair.utterance_id: pair for pair in answer.pairs}
    with atomic_write(path) as stream:
        stream.write("\t".join(["id", *scored, "reference", "hypothesis"]) + "\n")
        for utterance in sorted(pairs, key=place):
            scores = [each.utterances[utterance] for each in scored.values()]
            cells = ["" if np.isnan(score) else f"{score:.3f}" for score in scores]
            pair = pairs[utterance]
            row = (utterance, *cells, pair.reference, pair.hypothesis)
            stream.write("\t".join(row) + "\n")


def _summary(record: SystemScore, heading: str, main: Measured) -> str:
    value = main.score.value
    shown = "n/a" if value is None else f"{value:.{main.metric.digits}f}"
    line = f"score: {record.system} {record.checkpoint}: {heading} {shown}"
    if record.num_missing:
        line += f", {record.num_missing} of {record.num_utterances} missing"
    if record.num_too_long:
        line += f", {record.num_too_long} of them too long for the LLM"
    return line
