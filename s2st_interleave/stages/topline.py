"""Stage 9: what no system can pass: ASR of the references, of their units, and text."""

import dataclasses
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from s2st_interleave.config import REQUIRED, option
from s2st_interleave.data import kaldi
from s2st_interleave.errors import UserError
from s2st_interleave.files import write_json
from s2st_interleave.progress import progress
from s2st_interleave.score.answers import spoken, without
from s2st_interleave.score.asr import describe
from s2st_interleave.score.asr_cache import recognise
from s2st_interleave.score.metrics.mos import rate
from s2st_interleave.score.normalize import Normalizer
from s2st_interleave.score.records import ToplineScore
from s2st_interleave.stage_dir import Input, open_stage
from s2st_interleave.stages.encoder import model_input
from s2st_interleave.stages.scoring import (
    ScoringOptions,
    check_languages,
    git_label,
    normalizer_inputs,
    score_texts,
)


@dataclass(frozen=True, kw_only=True)
class Options(ScoringOptions):
    vocode_dir: Path = option(REQUIRED, "the reference units through the vocoder")
    out_dir: Path = option(REQUIRED, "exp/topline/<split>")
    side: str = option("tgt", "who answers, in speech", new=True)
    source: str = option("src", "whose text the text LLM is asked", new=True)
    llm: Path = option(REQUIRED, "the text LLM, before any speech")
    cascade_prompt: str = option("", "with {text}; empty: no cascade of text")
    metrics: tuple[str, ...] = option((), "of systems, not of toplines", runtime=True)


def run(options: Options) -> None:
    prompt = options.cascade_prompt
    if prompt and "{text}" not in prompt:  # all texts would be translated alike
        raise UserError(f"option 'cascade_prompt' is {prompt!r}: it has no {{text}}")
    data, side = kaldi.DataDir(options.data_dir), options.side
    code = data.sides[data.role(side)]
    check_languages(data.sides, {data.role(side)})
    asr = options.asr_options(code)
    stage = open_stage(
        options.out_dir,
        stage="topline",
        options=options,
        inputs={
            "data": Input(options.data_dir, "data"),
            "vocode": Input(options.vocode_dir, "vocode"),
            "asr": options.asr_input(),
            "llm": model_input(options.llm),
            **normalizer_inputs([code]),
        },
        overwrite=options.overwrite,
    )
    if stage is None:
        return
    references = data.texts(side)

    # 1. The reference audio itself, and its units through the vocoder.
    silent = data.silent(side)
    wavs = without(silent, data.wavs(side))
    texts = recognise(wavs, asr, options.asr_cache)
    reference = score_texts(references, texts, code, options)
    kaldi.write_table(options.out_dir / "hyp.reference", texts)
    resynthesised = without(silent, spoken(options.vocode_dir))
    texts = recognise(resynthesised, asr, options.asr_cache)
    resynthesis = score_texts(references, texts, code, options)
    kaldi.write_table(options.out_dir / "hyp.resynthesis", texts)

    # 2. Text to text.
    text_bleu = None
    if options.cascade_prompt:
        from s2st_interleave.decode.cascade import translate_texts
        from s2st_interleave.device import resolve_device

        translations = translate_texts(
            data.texts(options.source),
            options.llm,
            options.cascade_prompt,
            references.values(),
            device=resolve_device(options.device),
            progress=partial(progress, desc="text LLM translates references"),
        )
        kaldi.write_table(options.out_dir / "hyp.cascade", translations)
        text_bleu = score_texts(references, translations, code, options).value

    assert reference.value is not None  # BLEU has a value, whatever the texts are
    assert resynthesis.value is not None
    record = ToplineScore(
        split=options.data_dir.name,
        reference_asr_bleu=reference.value,
        resynthesis_asr_bleu=resynthesis.value,
        cascade_text_bleu=text_bleu,
        reference_mos=_mean_rating(wavs, options),
        resynthesis_mos=_mean_rating(resynthesised, options),
        signature=reference.signature,
        num_utterances=len(references),
        asr=describe(asr),
        normalizer=Normalizer(code).name,
        git=git_label(),
    )
    write_json(options.out_dir / "score.json", dataclasses.asdict(record))
    stage.finish(
        num_in=len(references),
        num_out=len(texts),
        said=f"{len(texts)} of {len(references)} utterances spoken again",
    )


def _mean_rating(wavs: dict[str, Path], options: Options) -> float | None:
    """Mean predicted MOS; None where no predictor is chosen, or nothing was said."""
    predictor = options.mos_options()
    ratings = rate(wavs, predictor, options.asr_cache) if predictor else {}
    return sum(ratings.values()) / len(ratings) if ratings else None
