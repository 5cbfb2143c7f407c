"""Stage 3: word times by CTC segmentation with the fine-tuned encoder."""

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from functools import partial
from pathlib import Path
from typing import Any, ClassVar

from s2st_interleave import drops
from s2st_interleave.align.aligner import Aligner, Side
from s2st_interleave.align.quality import MIN_MEDIAN, MIN_SCORE, USUAL, Quality
from s2st_interleave.align.words import MIN_GAP_SEC, mean_score, merge_words, read_each
from s2st_interleave.config import REQUIRED, option
from s2st_interleave.data import kaldi, sides
from s2st_interleave.encoder.reader import SMALLEST_PART, Reader, ReaderOptions
from s2st_interleave.errors import UserError
from s2st_interleave.promises import DONE
from s2st_interleave.shards import ShardOptions, Shards, run_shards, shards_of
from s2st_interleave.stage_dir import Input, open_stage
from s2st_interleave.stages import units
from s2st_interleave.units import coding


@dataclass(frozen=True, kw_only=True)
class Options(ShardOptions, ReaderOptions):
    data_dir: Path = option(REQUIRED, "data/<split>")
    encoder: Path = option(REQUIRED, "exp/<encoder> of stage 2")
    out_dir: Path = option(REQUIRED, "dump/align/<split> to write")
    min_gap_sec: float = option(
        MIN_GAP_SEC,
        "pauses between tokens that are longer belong to no word",
        minimum=0,
    )
    blank_edges: bool = option(
        True,
        "let words begin and end with the recording; false: as versions before aligned, "
        "which let no token fire in the first two frames and the last one",
    )
    drop: bool = option(
        True,
        "drop what cannot be aligned, or only badly; false (dev, test): equal parts for "
        "the former, a report of the latter",
    )
    min_score: float | None = option(
        MIN_SCORE,
        "a lower mean word score (log probability a token) is bad: right texts were above "
        "-2.0, swapped texts, silence and noise below -4.2 (align/quality.py); none: keep "
        "all",
        maximum=0,
    )
    min_median_score: float | None = option(
        MIN_MEDIAN,
        "of a side's utterances, lower and fail, in any split: an encoder that hears "
        "is at -0.1 to -1, one that hears nothing at -4 to -6; none: whatever it hears",
        runtime=True,
        maximum=0,
    )
    max_drop_rate: float = option(
        0.05, "drop more and fail", runtime=True, minimum=0, maximum=1
    )

    kmeans: Path | None = option(
        None, "exp/<kmeans>: make units of the same pass as well", runtime=True
    )
    units_dir: Path | None = option(
        None, "dump/units/<split> for them, as stage 4 writes it", runtime=True
    )

    @staticmethod
    def earlier(options: dict[str, Any]) -> dict[str, Any]:
        """Translate options of versions that knew no edges, or named languages."""
        return {"blank_edges": False} | sides.without_languages(options)

    removed: ClassVar[dict[str, str]] = {
        **ShardOptions.removed,
        "languages": sides.KNOWN,
    }

    @property
    def opens(self) -> bool:
        """Whether this is job 0, which opens the directories before the others start."""
        return self.shard.startswith("0/")

    def twin(self) -> units.Options | None:
        """Options of the units that the same pass makes; None where it makes none."""
        if self.kmeans is None or self.units_dir is None:
            if self.kmeans != self.units_dir:
                raise UserError("--kmeans and --units_dir go together")
            return None
        names = {field.name for field in fields(units.Options)} - {"kmeans", "out_dir"}
        same = {name: getattr(self, name) for name in names}
        return units.Options(kmeans=self.kmeans, out_dir=self.units_dir, **same)


def run(options: Options) -> None:
    # 1. Is there anything to do, and are there units to be made as well?
    stage = open_stage(
        options.out_dir,
        stage="align",
        options=options,
        inputs={
            "data": Input(options.data_dir, "data"),
            "encoder": Input(options.encoder, "encoder"),
        },
        overwrite=options.overwrite,
    )
    if stage is None:
        return
    twin = options.twin()
    if twin and (not options.shard or options.opens):
        units.run(replace(twin, shard="0/1"))  # opens its directory
    if options.opens:
        return

    # 2. Align every utterance of every side, part by part.
    data = kaldi.DataDir(options.data_dir)
    spoken = data.sides
    shards = _aligned(options, data, twin)
    if twin:
        units.run(twin)
    if options.shard:
        return

    # 3. Merge. Does the encoder hear anything? If so, which utterances fit their text?
    means: dict[str, dict[str, float | None]] = {role: {} for role in spoken}
    faults: dict[str, dict[str, str]] = {role: {} for role in spoken}
    for role, done in shards.items():
        for line in read_each(done.paths):
            means[role][line.id] = mean_score(line.words)
            if line.fault is not None:
                faults[role][line.id] = line.fault
    quality = Quality.of(options.data_dir.name, means)
    print(quality.report(), flush=True)
    _check_encoder(quality, faults, options)
    low = {} if options.min_score is None else quality.below(options.min_score)
    unaligned = {
        utterance: f"{role} {fault}"
        for role, reasons in faults.items()
        for utterance, fault in reasons.items()
    }
    _say("cannot be aligned", unaligned, options)
    _say(f"score less than {options.min_score}", low, options)
    num_in = len(next(iter(means.values())))
    dropped = low | unaligned if options.drop else {}
    complaint = f"cannot be aligned, or score less than --min_score {options.min_score}"
    limit = f"--max_drop_rate {options.max_drop_rate:g}"
    drops.limit(dropped, num_in, options.max_drop_rate, complaint, limit)

    # 4. Write: train without them, dev and test with equal intervals where need be.
    for role, done in shards.items():
        merge_words(done.paths, options.out_dir / f"words.{role}.jsonl", dropped)
    stage.finish(
        num_in=num_in,
        num_out=num_in - len(dropped),
        dropped=dropped,
        num_equal_intervals=sum(
            scores[utterance] is None
            for scores in means.values()
            for utterance in scores.keys() - dropped.keys()
        ),
        num_low_scores=len(low),
        sides=spoken,
        earlier_sec=sum(done.earlier_sec for done in shards.values()),
        **quality.notes(),
    )


def _aligned(
    options: Options, data: kaldi.DataDir, twin: units.Options | None
) -> dict[str, Shards]:
    """Run the parts of all sides; those of a side by role, none where this is a job."""
    reader = Reader(options.encoder, options)
    coder = None
    if twin and not (twin.out_dir / DONE).is_file():
        coder = coding.Coder(twin.kmeans, batched=options.batch_sec > 0)
    aligner = Aligner(reader, options.min_gap_sec, options.blank_edges, coder)
    spoken = data.sides
    shards: dict[str, Shards] = {}
    for role in spoken:
        side = Side(
            data.texts(role),
            data.wavs(role),
            data.durations(role) if options.batch_sec else {},
            data.silent(role),
            shards_of(twin.out_dir, role, spoken) if twin and coder else None,
        )
        done = run_shards(
            reader.order(side.texts, side.seconds),
            shards_of(options.out_dir, role, spoken),
            options.shard,
            partial(aligner.align, side),
            smallest=SMALLEST_PART,
        )
        if done:
            shards[role] = done
    return shards


def _check_encoder(
    quality: Quality, faults: Mapping[str, Mapping[str, str]], options: Options
) -> None:
    """Raise UserError where the median score says that the encoder hears nothing."""
    if options.min_median_score is None:
        return
    for role, reasons in faults.items():
        median = quality.median(role)
        unaligned = [f for f in reasons.values() if not f.startswith(kaldi.NO_AUDIO)]
        if median is None and not unaligned:
            continue  # silence stands in for all recordings: nothing to judge by
        if median is None or median < options.min_median_score:
            evidence = (
                f"no utterance can be aligned ({unaligned[0]})"
                if median is None
                else f"the median of the mean word scores is {median:.2f} ({USUAL})"
            )
            raise UserError(
                f"{options.data_dir}, {role}: {evidence}: {options.encoder} does not "
                f"hear this speech, or the texts are of other recordings. Train the "
                "encoder on such speech (stage 2), or let it pass with "
                f"--min_median_score none (now {options.min_median_score:g})"
            )


def _say(complaint: str, reasons: Mapping[str, str], options: Options) -> None:
    if reasons:
        outcome = "dropped" if options.drop else "kept"
        print(
            f"align: {options.data_dir.name}: {len(reasons)} utterances {complaint}, "
            f"{outcome}:\n{drops.listed(reasons)}",
            flush=True,
        )
