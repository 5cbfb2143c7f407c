"""Stage 4, second half: the units of every utterance, not deduplicated."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

import numpy as np
import safetensors.numpy

from s2st_interleave.config import REQUIRED, option
from s2st_interleave.data import audio, kaldi, sides
from s2st_interleave.errors import UserError
from s2st_interleave.facts import UnitsFacts
from s2st_interleave.files import atomic_write
from s2st_interleave.progress import progress
from s2st_interleave.shards import ShardOptions, run_shards, shards_of
from s2st_interleave.stage_dir import Input, open_stage, read_done
from s2st_interleave.units import store

if TYPE_CHECKING:
    from s2st_interleave.encoder.speech_encoder import SpeechEncoder
    from s2st_interleave.units.kmeans import Codebook


@dataclass(frozen=True, kw_only=True)
class Options(ShardOptions):
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

    # 2. One utterance at a time: what is written does not depend on the shards.
    data = kaldi.DataDir(options.data_dir)
    spoken = data.sides
    extractor = _Extractor(options)
    num_frames, earlier_sec = 0, 0.0
    used: set[int] = set()
    for role in spoken:
        wavs = data.wavs(role)

        def process(ids: Sequence[str], path: Path, wavs=wavs) -> None:
            utterances = progress(ids, f"units {path.parent.name} {path.name}")
            units = {i: extractor.units(wavs[i]) for i in utterances}
            with atomic_write(path, "wb") as stream:
                stream.write(safetensors.numpy.save(units))

        folder = shards_of(options.out_dir, role, spoken)
        shards = run_shards(sorted(wavs), folder, options.shard, process, smallest=50)
        if shards is None:
            continue

        # 3. Merge.
        units: dict[str, np.ndarray] = {}
        for path in shards.paths:
            units |= safetensors.numpy.load_file(path)
        store.write_units(options.out_dir / f"units.{role}", units)
        num_frames += sum(map(len, units.values()))
        used.update(*(np.unique(each).tolist() for each in units.values()))
        earlier_sec += shards.earlier_sec
    if not options.shard:
        count = len(data.texts(next(iter(spoken))))
        stage.finish(
            num_in=count,
            num_out=count,
            facts=UnitsFacts(
                num_units=extractor.codebook.num_units,
                unit_sec=extractor.encoder.frame_sec,
                kmeans=stage.record["inputs"]["kmeans"],
            ),
            num_frames=num_frames,
            num_used_units=len(used),
            sides=spoken,
            earlier_sec=earlier_sec,
        )


class _Extractor:
    """Encoder and codebook, loaded when the first shard asks for them."""

    def __init__(self, options: Options):
        self.options = options

    @cached_property
    def encoder(self) -> "SpeechEncoder":
        from s2st_interleave.device import resolve_device, set_threads
        from s2st_interleave.encoder.speech_encoder import SpeechEncoder

        set_threads(self.options.num_threads)
        device = resolve_device(self.options.device)
        return SpeechEncoder.load(self.options.encoder, device)

    @cached_property
    def codebook(self) -> "Codebook":
        from s2st_interleave.units.kmeans import Codebook

        return Codebook.load(self.options.kmeans)

    @cached_property
    def layer(self) -> int:
        return read_done(self.options.kmeans, "kmeans")["options"]["layer"]

    def units(self, wav: Path) -> np.ndarray:
        """int32 (num_units,) of a recording."""
        features = self.encoder.forward(audio.read(wav), self.layer)
        return self.codebook.assign(features)
