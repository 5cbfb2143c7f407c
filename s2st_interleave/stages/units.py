"""Stage 4, second half: the units of every utterance, not deduplicated."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import ClassVar

import numpy as np
import safetensors.numpy

from s2st_interleave.config import REQUIRED, option
from s2st_interleave.data import audio, kaldi, sides
from s2st_interleave.errors import UserError
from s2st_interleave.files import atomic_write
from s2st_interleave.progress import progress
from s2st_interleave.shards import ShardOptions, run_shards, shards_of
from s2st_interleave.stage_dir import Input, open_stage, read_done
from s2st_interleave.units import store


@dataclass(frozen=True, kw_only=True)
class Options(ShardOptions):
    data_dir: Path = option(REQUIRED, "data/<split>")
    encoder: Path = option(REQUIRED, "exp/<encoder> of stage 2")
    kmeans: Path = option(REQUIRED, "exp/<kmeans> of stage 4")
    out_dir: Path = option(REQUIRED, "dump/units/<split> to write")

    earlier = staticmethod(sides.without_languages)
    removed: ClassVar[dict[str, str]] = {"languages": sides.KNOWN}


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

    made_with = read_done(options.kmeans, "kmeans")["inputs"]["encoder"]
    if made_with != stage.record["inputs"]["encoder"]:
        raise UserError(
            f"the codebook {options.kmeans} was made with another encoder than "
            f"{options.encoder}: a shared codebook needs its own --encoder_dir"
        )

    # 2. One utterance at a time: what is written does not depend on the shards.
    data = kaldi.DataDir(options.data_dir)
    spoken = data.sides
    extractor = _Extractor(options)
    num_frames, used = 0, set()
    for role in spoken:
        wavs = data.wavs(role)

        def process(ids: Sequence[str], path: Path, wavs=wavs) -> None:
            shown = progress(ids, f"units {path.parent.name}")
            units = {i: extractor.units(wavs[i]) for i in shown}
            with atomic_write(path, "wb") as stream:
                stream.write(safetensors.numpy.save(units))

        folder = shards_of(options.out_dir, role, spoken)
        paths = run_shards(
            list(wavs), folder, options.shard, options.num_shards, process
        )
        if paths is None:
            continue

        # 3. Merge.
        units: dict[str, np.ndarray] = {}
        for path in paths:
            units |= safetensors.numpy.load_file(path)
        store.write_units(options.out_dir / f"units.{role}", units)
        num_frames += sum(map(len, units.values()))
        used.update(*(np.unique(one).tolist() for one in units.values()))
    if not options.shard:
        facts = {"num_units": extractor.num_units, "unit_sec": extractor.unit_sec}
        facts |= {"num_used_units": len(used)}
        facts |= {"kmeans": stage.record["inputs"]["kmeans"]}
        facts |= {"sides": spoken}
        count = len(data.texts(next(iter(spoken))))
        stage.finish(num_in=count, num_out=count, num_frames=num_frames, **facts)


class _Extractor:
    """Encoder and codebook, loaded when the first shard asks for them."""

    def __init__(self, options: Options):
        self.options = options

    @cached_property
    def encoder(self):
        from s2st_interleave.device import resolve_device, set_threads
        from s2st_interleave.encoder.speech_encoder import SpeechEncoder

        set_threads(self.options.num_threads)
        device = resolve_device(self.options.device)
        return SpeechEncoder.load(self.options.encoder, device)

    @cached_property
    def codebook(self):
        from s2st_interleave.units.kmeans import Codebook

        return Codebook.load(self.options.kmeans)

    @cached_property
    def layer(self) -> int:
        return read_done(self.options.kmeans, "kmeans")["options"]["layer"]

    @property
    def num_units(self) -> int:
        return self.codebook.num_units

    @property
    def unit_sec(self) -> float:
        return self.encoder.frame_sec

    def units(self, wav: Path) -> np.ndarray:
        features = self.encoder.forward(audio.read(wav), self.layer)
        return self.codebook.assign(features)
