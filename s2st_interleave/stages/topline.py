"""Stage 9: what no system can pass: ASR of the references, of their units, and text."""

from dataclasses import dataclass
from functools import partial
from pathlib import Path

from s2st_interleave.config import REQUIRED, option
from s2st_interleave.data import kaldi
from s2st_interleave.files import write_json
from s2st_interleave.progress import progress
from s2st_interleave.score.asr import describe
from s2st_interleave.score.asr_cache import recognise
from s2st_interleave.score.normalize import Normalizer
from s2st_interleave.score.records import ToplineScore
from s2st_interleave.stage_dir import Input, open_stage
from s2st_interleave.stages.encoder import model_input
from s2st_interleave.stages.score import (
    ScoringOptions,
    check_languages,
    git_label,
    mean,
    rate_all,
    score_texts,
    spoken,
    without,
)


@dataclass(frozen=True, kw_only=True)
class Options(ScoringOptions):
    vocode_dir: Path = option(REQUIRED, "the reference units through the vocoder")
    out_dir: Path = option(REQUIRED, "exp/topline/<split>")
    llm: Path = option(REQUIRED, "the text LLM, before any speech")
    cascade_prompt: str = option("", "with {text}; empty: no cascade of text")


def run(options: Options) -> None:
    check_languages(options)
    stage = open_stage(
        options.out_dir,
        stage="topline",
        options=options,
        inputs={
            "data": Input(options.data_dir, "data"),
            "vocode": Input(options.vocode_dir, "vocode"),
            "asr": options.asr_input(),
            "llm": model_input(options.llm),
        },
        overwrite=options.overwrite,
    )
    if stage is None:
        return
    data = kaldi.DataDir(options.data_dir)
    references = data.texts(options.tgt_lang)

    # 1. The reference audio itself, and its units through the vocoder.
    silent = data.silent(options.tgt_lang)
    wavs = without(silent, data.wavs(options.tgt_lang))
    heard = recognise(wavs, options.asr_options(), options.asr_cache)
    reference = score_texts(references, heard, options)
    kaldi.write_table(options.out_dir / "hyp.reference", heard)
    made = without(silent, spoken(options.vocode_dir))
    heard = recognise(made, options.asr_options(), options.asr_cache)
    resynthesis = score_texts(references, heard, options)
    kaldi.write_table(options.out_dir / "hyp.resynthesis", heard)

    # 2. Text to text.
    text_bleu = None
    if options.cascade_prompt:
        from s2st_interleave.decode.cascade import translate_texts
        from s2st_interleave.device import resolve_device

        translations = translate_texts(
            data.texts(options.src_lang),
            options.llm,
            options.cascade_prompt,
            device=resolve_device(options.device),
            progress=partial(progress, desc="text LLM"),
        )
        kaldi.write_table(options.out_dir / "hyp.cascade", translations)
        text_bleu = score_texts(references, translations, options).asr_bleu

    record = ToplineScore(
        split=options.data_dir.name,
        reference_asr_bleu=reference.asr_bleu,
        resynthesis_asr_bleu=resynthesis.asr_bleu,
        cascade_text_bleu=text_bleu,
        reference_mos=mean(rate_all(wavs, options)),
        resynthesis_mos=mean(rate_all(made, options)),
        signature=reference.signature,
        num_utterances=reference.num_utterances,
        asr=describe(options.asr_options()),
        normalizer=Normalizer(options.tgt_lang).name,
        git=git_label(),
    )
    write_json(options.out_dir / "score.json", record.to_json())
    stage.finish(num_in=len(references), num_out=len(heard))
