"""Stage 4, second half: the units of every utterance, not deduplicated."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import numpy as np

from s2st_interleave.config import REQUIRED, option
from s2st_interleave.data import kaldi, sides
from s2st_interleave.encoder.reader import SMALLEST_PART, Reader, ReaderOptions
from s2st_interleave.errors import UserError
from s2st_interleave.facts import KmeansFacts, UnitsFacts
from s2st_interleave.progress import progress
from s2st_interleave.shards import ShardOptions, Shards, run_shards, shards_of
from s2st_interleave.stage_dir import Input, open_stage, read_done
from s2st_interleave.units import coding, store, usage


@dataclass(frozen=True, kw_only=True)
class Options(ShardOptions, ReaderOptions):
    data_dir: Path = option(REQUIRED, "data/<split>")
    encoder: Path = option(REQUIRED, "exp/<encoder> of stage 2")
    kmeans: Path = option(REQUIRED, "exp/<kmeans> of stage 4")
    out_dir: Path = option(REQUIRED, "dump/units/<split> to write")

    earlier = staticmethod(sides.without_languages)
    removed: ClassVar[dict[str, str]] = {
        **ShardOptions.removed,
        "languages": sides.KNOWN,
    }


def run(options: Options) -> None:
    # 1. Is there anything to do?
    stage = open_stage(
        options.out_dir,
        stage="units",
        options=options,
        inputs={
            "data": Input(options.data_dir, "data"),
            "encoder": Input(options.encoder, "encoder"),
            "kmeans": Input(options.kmeans, "kmeans"),
        },
        overwrite=options.overwrite,
    )
    if stage is None:
        return

    codebook_encoder = read_done(options.kmeans, "kmeans")["inputs"]["encoder"]
    if codebook_encoder != stage.record["inputs"]["encoder"]:
        raise UserError(
            f"the codebook {options.kmeans} was made with another encoder than "
            f"{options.encoder}: a shared codebook needs its own --encoder_dir"
        )

    # 2. The units of every utterance of every side, part by part.
    data = kaldi.DataDir(options.data_dir)
    spoken = data.sides
    reader = Reader(options.encoder, options)
    coder = coding.Coder(options.kmeans, batched=options.batch_sec > 0)
    earlier_sec = 0.0
    uses = np.zeros(coder.codebook.num_units, np.int64)  # of each unit
    for role in spoken:
        wavs = data.wavs(role)
        seconds = data.durations(role) if options.batch_sec else {}

        def process(ids: Sequence[str], path: Path, wavs=wavs, seconds=seconds) -> None:
            readings = reader.read(
                ids, wavs, seconds, ctc=False, layer=coder.layer, reduce=coder.reduce
            )
            what = f"{path.parent.name} {path.name}"
            units = {
                name: coder.units(reading)
                for name, reading in progress(readings, what, len(ids))
            }
            coding.write_part(path, units)

        shards = run_shards(
            reader.order(wavs, seconds),
            shards_of(options.out_dir, role, spoken),
            options.shard,
            process,
            smallest=SMALLEST_PART,
        )
        if shards is None:
            continue

        # 3. Merge, one part in memory at a time.
        def counted(shards: Shards = shards) -> Iterator[tuple[str, np.ndarray]]:
            for name, units in coding.read_parts(shards.paths):
                uses[:] += np.bincount(units, minlength=len(uses))
                yield name, units

        store.write_in_order(options.out_dir / f"units.{role}", counted())
        earlier_sec += shards.earlier_sec
    if not options.shard:
        if doubt := usage.doubt(uses):
            print(f"units: warning: {options.out_dir}: {doubt}", flush=True)
        count = len(data.texts(next(iter(spoken))))
        stage.finish(
            num_in=count,
            num_out=count,
            facts=UnitsFacts(
                num_units=coder.codebook.num_units,
                unit_sec=_unit_sec(options),
                kmeans=stage.record["inputs"]["kmeans"],
            ),
            num_frames=int(uses.sum()),
            num_used_units=int(np.count_nonzero(uses)),
            sides=spoken,
            earlier_sec=earlier_sec,
        )


def _unit_sec(options: Options) -> float:
    """Seconds of a unit, by the codebook, or by the encoder's configuration."""
    known = KmeansFacts.read(options.kmeans).unit_sec
    if known is None:  # a codebook of an earlier version
        from s2st_interleave.encoder.speech_encoder import frame_sec

        known = frame_sec(options.encoder)
    return known
