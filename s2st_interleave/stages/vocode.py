"""Stage 8, second half: units of a decode, or of recordings, become speech."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache, partial
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from s2st_interleave import record_file
from s2st_interleave.config import MOST_JOBS, REQUIRED, option
from s2st_interleave.data import audio, sides
from s2st_interleave.data.kaldi import read_places, write_table
from s2st_interleave.decode import outputs
from s2st_interleave.errors import UserError
from s2st_interleave.facts import DecodeFacts, UnitsFacts, VocoderFacts
from s2st_interleave.files import atomic_write
from s2st_interleave.progress import progress
from s2st_interleave.promises import DONE
from s2st_interleave.shards import ShardOptions, Shards, run_shards
from s2st_interleave.stage_dir import Input, open_stage
from s2st_interleave.stages import part_of
from s2st_interleave.stages.vocoder import voice_doubt
from s2st_interleave.units import store
from s2st_interleave.workers import mapped

if TYPE_CHECKING:
    from s2st_interleave.vocoder.base import Vocoder

NO_UNITS = "no units"
SMALLEST_PART = 500  # utterances


@dataclass(frozen=True, kw_only=True)
class Options(ShardOptions):
    units_dir: Path = option(REQUIRED, "a decode, or dump/units/<split>")
    side: str = option("tgt", "whose units of it are spoken", new=True)
    vocoder: Path = option(REQUIRED, "exp/<vocoder>")
    out_dir: Path = option(REQUIRED, "gets wav.scp and wav/<id>.wav")
    part_of: Path | None = option(
        None,
        "vocode of a larger split: its recordings of the same units are copied",
        runtime=True,
    )
    same_as: Path | None = option(
        None, "vocode of another checkpoint's answers: likewise", runtime=True
    )
    nj: int = option(1, "processes", runtime=True, minimum=1, maximum=MOST_JOBS)

    removed: ClassVar[dict[str, str]] = {
        **ShardOptions.removed,
        "units": "--units_dir says where they lie, --side whose they are",
    }


def run(options: Options) -> None:
    # 1. Is there anything to do?
    stage = open_stage(
        options.out_dir,
        stage="vocode",
        options=options,
        inputs={
            "units": Input(options.units_dir, _made_by(options.units_dir)),
            "name": _stem(options).name,  # a directory holds those of several sides
            "vocoder": Input(options.vocoder, "vocoder"),
        },
        overwrite=options.overwrite,
    )
    if stage is None:
        return
    _check_codebook(options)
    if doubt := voice_doubt(options.vocoder, options.side):
        print(f"vocode: warning: {doubt}", flush=True)

    # 2. One file an utterance, by rename: a rerun makes what is missing.
    units = store.read_units(_stem(options))
    wavs = {
        utterance: options.out_dir / "wav" / f"{utterance}.wav"
        for utterance, sequence in units.items()
        if len(sequence)
    }
    parts = _spoken(units, wavs, options)
    if parts is None:
        return
    num_copied = sum(int(path.read_text()) for path in parts.paths)

    # 3. No line for an utterance without units: the score counts it as missing.
    write_table(options.out_dir / "wav.scp", {u: str(path) for u, path in wavs.items()})
    stage.finish(
        num_in=len(units),
        num_out=len(wavs),
        said=f"{len(wavs)} of {len(units)} utterances spoken"
        + f", {num_copied} of them copied" * bool(num_copied),
        num_copied=num_copied,
        earlier_sec=parts.earlier_sec,
        dropped=dict.fromkeys(sorted(units.keys() - wavs.keys()), NO_UNITS),
    )


def _spoken(
    units: Mapping[str, np.ndarray], wavs: Mapping[str, Path], options: Options
) -> Shards | None:
    """Copy or make the recordings of this job's parts, or all; None where it is a job.

    The file of a part has the number of its recordings that were copied.
    """
    known: dict[str, Path] = {}
    for other in (options.part_of, options.same_as):
        known |= _recordings(units, other, options)

    def speak(ids: Sequence[str], path: Path) -> None:
        missing = {u: units[u] for u in ids if not wavs[u].is_file()}
        copied = sorted(missing.keys() & known.keys())
        for utterance in copied:
            with atomic_write(wavs[utterance], "wb") as stream:
                stream.write(known[utterance].read_bytes())
        new = {u: missing[u] for u in missing if u not in known}
        _synthesise_all(new, wavs, options)
        with atomic_write(path) as stream:
            stream.write(f"{len(copied)}\n")

    shards = run_shards(
        sorted(wavs),
        options.out_dir / "shards",
        options.shard,
        speak,
        smallest=SMALLEST_PART,
    )
    if shards:  # what was lost since its part was made
        lost = {u: units[u] for u in wavs if not wavs[u].is_file()}
        _synthesise_all(lost, wavs, options)
    return shards


def _recordings(
    units: Mapping[str, np.ndarray], other: Path | None, options: Options
) -> dict[str, Path]:
    """The recordings in `other` by the same vocoder, of the same utterance and units."""
    done = part_of.finished(other)
    if other is None or done is None:
        return {}
    vocoder = Input(options.vocoder, "vocoder").fingerprint()
    units_dir = Path(done["paths"]["units_dir"])
    if done["inputs"]["vocoder"] != vocoder or part_of.finished(units_dir) is None:
        return {}
    if Input(units_dir, _made_by(units_dir)).fingerprint() != done["inputs"]["units"]:
        return {}  # they were made anew since
    stem = _stem(replace(options, units_dir=units_dir))
    if done["inputs"].get("name") != stem.name:
        return {}  # another side's
    spoken, paths = store.read_units(stem), read_places(other / "wav.scp")
    both = sorted(units.keys() & paths.keys())
    return {u: paths[u] for u in both if np.array_equal(units[u], spoken[u])}


def _stem(options: Options) -> Path:
    """The path of the side's units, without the ending of their two files."""
    if _made_by(options.units_dir) == "decode":
        return outputs.units_stem(options.units_dir, options.side)
    spoken = sides.read(options.units_dir)
    if options.side not in spoken:
        raise UserError(
            f"{options.units_dir} has no side '{options.side}', only {', '.join(spoken)}"
        )
    scp = sides.path_of(options.units_dir, "units.{}.scp", options.side, spoken)
    return scp.with_suffix("")


def _made_by(units_dir: Path) -> str:
    """The command that wrote the units: `units` or `decode`."""
    record = units_dir / DONE
    return record_file.read(record)["stage"] if record.is_file() else "decode"


def _check_codebook(options: Options) -> None:
    """Raise UserError for units of another codebook than the vocoder's: same ids, noise."""
    is_decode = _made_by(options.units_dir) == "decode"
    facts = (DecodeFacts if is_decode else UnitsFacts).read(options.units_dir)
    codebook, known = facts.kmeans, VocoderFacts.read(options.vocoder).kmeans
    if is_decode and not (codebook and known):
        return  # a decode, or vocoder, of an earlier version does not tell
    if codebook != known:
        raise UserError(
            f"{options.vocoder} was trained on units of another codebook than "
            f"{options.units_dir}: a shared vocoder needs its own --kmeans_dir"
        )


def _synthesise_all(
    units: Mapping[str, np.ndarray], wavs: Mapping[str, Path], options: Options
) -> None:
    work = [(u, units[u], wavs[u]) for u in sorted(units)]
    job = partial(_synthesise, options.vocoder, options.device, options.num_threads)
    for _ in progress(mapped(job, work, options.nj, chunk=4), "speech", len(work)):
        pass


def _synthesise(
    vocoder: Path, device: str, num_threads: int, item: tuple[str, np.ndarray, Path]
) -> None:
    utterance, units, path = item
    model = _load(vocoder, device, num_threads)
    try:
        samples = model.synthesise(units)
    except UserError as error:
        raise UserError(f"utterance {utterance}: {error}") from None
    audio.write(path, samples, model.sample_rate)


@lru_cache(maxsize=1)
def _load(vocoder: Path, device: str, num_threads: int) -> "Vocoder":
    from s2st_interleave.device import resolve_device, set_threads
    from s2st_interleave.vocoder.backends import load

    set_threads(num_threads)
    return load(vocoder, resolve_device(device))
