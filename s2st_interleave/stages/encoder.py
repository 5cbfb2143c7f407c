"""Stage 2: fine-tune the speech encoder with CTC, all sides and languages together."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from s2st_interleave import drops, keyed, parallel
from s2st_interleave.config import MOST_JOBS, REQUIRED, option, to_dict
from s2st_interleave.data import kaldi
from s2st_interleave.data.languages import LanguageCode
from s2st_interleave.data.text import spoken_form
from s2st_interleave.effects import Void
from s2st_interleave.encoder.recordings import Recording, Recordings, too_short
from s2st_interleave.errors import UserError
from s2st_interleave.precision import Dtype, use_bf16
from s2st_interleave.stage_dir import Input, numbered, open_stage
from s2st_interleave.train.options import TrainOptions


@dataclass(frozen=True, kw_only=True)
class Options(TrainOptions):
    encoder: Path = option(REQUIRED, "Hugging Face directory or name to start from")
    scratch: bool = option(False, "take only its configuration, random weights")
    train_dir: tuple[Path, ...] = option(REQUIRED, "data/train; several: of many pairs")
    dev_dir: tuple[Path, ...] = option(REQUIRED, "data/dev, one or several")
    out_dir: Path = option(REQUIRED, "exp/<encoder> to write")
    languages: tuple[LanguageCode, ...] = option(
        (), "those to learn, for example 'es en'; default: all that train_dir has"
    )
    num_pieces: int = option(5000, "BPE vocabulary; the paper's is 5K", minimum=1)
    character_coverage: float = option(
        1.0,
        "share of the training text that the BPE's characters cover; it knows no rarer ones",
        above=0,
        maximum=1,
    )
    max_per_language: int = option(
        0,
        "recordings of a language to train on, drawn by id, so that large languages do "
        "not take most; 0: all",
        minimum=0,
    )
    num_dev: int = option(1000, "dev recordings to evaluate on; 0: all", minimum=0)
    lr: float = option(2e-5, "peak learning rate; the paper's is 2e-5", above=0)
    spec_augment: bool = option(
        False,
        "mask bands of filter banks and spans of time; only the latter in a waveform",
    )
    dtype: Dtype = option("auto", "of products; auto: bf16 on a GPU that has it")
    gradient_checkpointing: bool = option(
        False, "compute activations twice instead of keeping them"
    )
    batch_sec: float = option(
        0.0,
        "seconds of a micro-batch, padding included, of recordings of similar lengths; 0: "
        "accum_grad micro-batches of as many recordings of any length",
        minimum=0,
        new=True,
    )
    num_workers: int = option(
        0,
        "processes a GPU that read recordings ahead of their step; 0: a thread",
        minimum=0,
        runtime=True,
        maximum=MOST_JOBS,
    )
    cache_features: bool = option(
        False, "keep features in memory; without num_workers", runtime=True
    )
    max_drop_rate: float = option(
        0.05,
        "fail where more of train is dropped because its text is longer than its frames",
        runtime=True,
        minimum=0,
        maximum=1,
    )

    def voids(self) -> list[Void]:
        # Each worker would keep the features of its own steps.
        return (
            [Void("num_workers", "0", ["cache_features"])] if self.num_workers else []
        )

    def with_languages(self) -> "Options":
        """These options, with each language once, those of train_dir if none is named."""
        known = self.languages or kaldi.DataDirs(self.train_dir).languages()
        return replace(self, languages=tuple(map(LanguageCode, dict.fromkeys(known))))


def model_input(path: Path) -> Input | str:
    """What a model is to `open_stage`: a folder counts by content, a hub's name by itself.

    Raises FileNotFoundError for a name that can only be a path.
    """
    if path.exists():
        return Input(path)
    if path.is_absolute() or len(path.parts) != 2 or path.parent.is_dir():
        raise FileNotFoundError(
            f"{path} is missing: neither a folder with a model, nor a name of the hub "
            "(owner/name); a mini recipe makes its text LLM in stage 1"
        )
    return str(path)


def run(options: Options) -> None:
    # 1. Is there anything to do?
    stage = parallel.on_first(
        lambda: open_stage(
            options.out_dir,
            stage="encoder",
            options=options.with_languages(),
            inputs={
                "encoder": model_input(options.encoder),
                **numbered("train", options.train_dir, "data"),
                **numbered("dev", options.dev_dir, "data"),
            },
            overwrite=options.overwrite,
        )
    )
    if stage is None:
        return
    import sentencepiece

    from s2st_interleave.device import resolve_device, set_threads
    from s2st_interleave.encoder import bpe as bpe_files
    from s2st_interleave.encoder import ctc
    from s2st_interleave.encoder.batches import Collator, Cutting
    from s2st_interleave.train import checkpoint
    from s2st_interleave.train.adamw import AdamWLearner
    from s2st_interleave.train.loop import fit

    # 2. One BPE and one model for all languages, all sides.
    options = options.with_languages()
    set_threads(options.num_threads)
    device = resolve_device(options.device)
    train = _drawn(options.train_dir, options.languages, options.max_per_language)
    dev = _draw(_drawn(options.dev_dir, options.languages), options.num_dev)
    bpe_path = options.out_dir / bpe_files.BPE_FILE

    def learn_pieces() -> None:
        if not bpe_path.is_file():
            texts = [recording.text for recording in train]
            coverage = options.character_coverage
            bpe_files.train_bpe(texts, bpe_path, options.num_pieces, coverage)

    parallel.on_first(learn_pieces)
    bpe = sentencepiece.SentencePieceProcessor(model_file=str(bpe_path))
    model, front = ctc.build(options.encoder, bpe, options.scratch, options.seed)
    dropped = too_short(train, bpe, front)
    _check_dropped(dropped, len(train), options)
    num_train = len(train)
    train = Recordings(r for r in train if r.key not in dropped)
    unusable = too_short(dev, bpe, front)
    _check_dev(unusable, len(dev))
    if options.gradient_checkpointing:
        model.activation_checkpointing_enable({"use_reentrant": False})
    task = ctc.CtcTask(
        model=model.to(device),  # pyrefly: ignore[bad-argument-type]: its wrapper has no types
        collator=Collator(
            frontend=front,
            bpe=bpe,
            seed=options.seed,
            cache=options.cache_features and not options.num_workers,
            augment=options.spec_augment,
        ),
        cutting=Cutting(options.batch_size, options.accum_grad, options.batch_sec),
        bpe_path=bpe_path,
        train=train,
        dev=[recording for recording in dev if recording.key not in unusable],
        dev_without_loss=[recording for recording in dev if recording.key in unusable],
        device=device,
        bf16=use_bf16(options.dtype, device),
        num_workers=options.num_workers,
    )

    # 3. Train; the last checkpoint is the encoder.
    try:
        outcome = fit(AdamWLearner(task, options), options, options.out_dir)
    finally:
        task.close()

    def finish() -> None:
        checkpoint.export(outcome.last, options.out_dir)
        stage.finish(
            num_in=num_train,
            num_out=len(train),
            said=f"{len(train)} of {num_train} recordings trained on",
            dropped=dropped,
            dev_without_loss=unusable,
            train_sec=outcome.train_sec,
            loop=to_dict(outcome),
        )

    parallel.on_first(finish)


def _drawn(
    directories: tuple[Path, ...], languages: Sequence[str], most: int = 0
) -> Sequence[Recording]:
    """Recordings of all languages, `most` (0: all) of each."""
    data = kaldi.DataDirs(directories)
    return [r for name in languages for r in _draw(_recordings(data, name), most)]


def _recordings(data: kaldi.DataDirs, language: str) -> list[Recording]:
    wavs, texts = data.wavs(language), data.texts(language)
    seconds = data.durations(language)
    spoken = {voice: spoken_form(texts[voice]) for voice in sorted(wavs)}
    return [
        Recording(":".join(voice), wavs[voice], text, seconds.get(voice))
        for voice, text in spoken.items()
        if text  # the dev split may have texts without words, which CTC has no use for
    ]


def _check_dropped(dropped: dict[str, str], total: int, options: Options) -> None:
    """Print what CTC cannot learn from; raise UserError where it is too much of train."""
    rate = options.max_drop_rate if len(dropped) < total else 0.0
    remedy = f"--max_drop_rate {rate:g}; a larger --num_pieces makes texts shorter"
    drops.limit(dropped, total, rate, "have more text than frames", remedy)
    if dropped:
        parallel.say(f"encoder: {len(dropped)} of {total} train recordings are dropped")


def _check_dev(unusable: dict[str, str], total: int) -> None:
    """Print which dev recordings have no loss; raise UserError where none has one."""
    if len(unusable) == total:
        raise UserError(
            f"none of {total} dev recordings has a loss (a larger --num_pieces makes "
            f"texts shorter):\n{drops.listed(unusable)}"
        )
    if unusable:
        parallel.say(
            f"encoder: {len(unusable)} of {total} dev recordings are left out of "
            f"dev_loss:\n{drops.listed(unusable)}"
        )


def _draw(recordings: Sequence[Recording], most: int) -> list[Recording]:
    """Draw `most` recordings (0: all), the same ones whatever their order."""
    if not most:
        return list(recordings)
    chosen = keyed.draw((recording.key for recording in recordings), most)
    return [recording for recording in recordings if recording.key in chosen]
