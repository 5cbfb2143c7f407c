"""Stage 9: ASR-BLEU of a system's speech, and its text along the way."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TypeVar

from s2st_interleave.config import REQUIRED, option
from s2st_interleave.data import kaldi
from s2st_interleave.data.languages import LanguageCode, language
from s2st_interleave.decode.outputs import read_texts
from s2st_interleave.effects import Void
from s2st_interleave.files import atomic_write, write_json
from s2st_interleave.interleave.layout import Layout
from s2st_interleave.provenance import git_state
from s2st_interleave.score.asr import AsrOptions, describe
from s2st_interleave.score.asr_cache import rate, recognise
from s2st_interleave.score.bleu import (
    CorpusScores,
    character_error_rate,
    corpus_scores,
    metric,
    word_error_rate,
)
from s2st_interleave.score.mos import MosOptions
from s2st_interleave.score.normalize import Normalizer
from s2st_interleave.score.records import SystemScore
from s2st_interleave.stage_dir import Input, open_stage, read_done
from s2st_interleave.stages.train import trained_task
from s2st_interleave.values import Device

T = TypeVar("T")


@dataclass(frozen=True, kw_only=True)
class ScoringOptions:
    data_dir: Path = option(REQUIRED, "data/<split>: the references")
    src_lang: LanguageCode = option(REQUIRED, "source language code")
    tgt_lang: LanguageCode = option("en", "target language code")
    asr: Path = option(
        Path("large-v3"), "Whisper: folder of CTranslate2 weights, or name"
    )
    compute_type: str = option("float32", "of CTranslate2: float32, float16, int8 ...")
    mos: Literal["none", "dnsmos", "utmos"] = option(
        "none", "predictor of speech quality; the paper's is utmos"
    )
    mos_weights: Path | None = option(
        None,
        "of utmos: utmos22_strong_step7459_v1.pt, checked by its hash",
        runtime=True,
    )
    num_resamples: int = option(1000, "of the bootstrap", minimum=1)
    bootstrap_seed: int = option(0, "of the bootstrap", minimum=0)
    asr_cache: Path = option(
        Path("exp/asr_cache"), "what was heard before", runtime=True
    )
    nj: int = option(2, "utterances recognised at once", runtime=True, minimum=1)
    device: Device = option(Device("auto"), "auto, cpu, cuda, cuda:1", runtime=True)
    overwrite: bool = option(False, "make it anew", runtime=True)

    def __post_init__(self) -> None:
        self.mos_options()

    def voids(self) -> list[Void]:
        return [Void("mos", "utmos", ["mos_weights"])] if self.mos != "utmos" else []

    def mos_options(self) -> MosOptions | None:
        if self.mos == "none":
            return None
        return MosOptions(self.mos, self.mos_weights, self.device, self.nj)

    def asr_options(self) -> AsrOptions:
        return AsrOptions(
            model=str(self.asr),
            language=self.tgt_lang,
            device=self.device,
            compute_type=self.compute_type,
            num_workers=self.nj,
        )

    def asr_input(self) -> Input | str:
        if len(self.asr.parts) > 1:  # a name such as large-v3 has one part
            return Input(self.asr)
        return str(self.asr)


@dataclass(frozen=True, kw_only=True)
class Options(ScoringOptions):
    train_dir: Path = option(REQUIRED, "exp/<tag>")
    decode_dir: Path = option(REQUIRED, "exp/<tag>/<decode_tag>/<split>")
    vocode_dir: Path = option(REQUIRED, "with the wav.scp of stage 8")
    out_dir: Path = option(REQUIRED, "where score.json goes")


def run(options: Options) -> None:
    # 1. Can it be scored, and is there anything to do?
    check_languages(options)
    stage = open_stage(
        options.out_dir,
        stage="score",
        options=options,
        inputs={
            "data": Input(options.data_dir, "data"),
            "decode": Input(options.decode_dir, "decode"),
            "vocode": Input(options.vocode_dir, "vocode"),
            "asr": options.asr_input(),
        },
        overwrite=options.overwrite,
    )
    if stage is None:
        return

    # 2. Hear what the system said, and compare it by utterance id.
    data = kaldi.DataDir(options.data_dir)
    references = data.texts(options.tgt_lang)
    silent = data.silent(options.src_lang)  # nothing to translate: counts as missing
    wavs = without(silent, spoken(options.vocode_dir))
    heard = recognise(wavs, options.asr_options(), options.asr_cache)
    scores = score_texts(references, heard, options)
    ratings = rate_all(wavs, options)

    # 3. The chain of thought: errors of the transcript, BLEU of the translation.
    trained = read_done(options.train_dir, "train")
    decoded = read_done(options.decode_dir, "decode")
    text_bleu = None
    errors: dict[str, float] = {}
    # A version that knew one task wrote its layout nowhere but in the training.
    answered = decoded["facts"].get("layout")
    layout = Layout.parse(answered or str(trained_task(options.train_dir).layout))
    written = {block.side for block in layout.wanted if block.kind == "text"}
    if "tgt" in written:
        translation = without(silent, read_texts(options.decode_dir, "tgt"))
        text_bleu = score_texts(references, translation, options).asr_bleu
    if "src" in written:
        transcript = read_texts(options.decode_dir, "src")
        errors = transcript_errors(
            data.texts(options.src_lang), without(silent, transcript), options.src_lang
        )

    # 4. Write.
    record = SystemScore(
        system=options.train_dir.name,
        split=options.data_dir.name,
        asr_bleu=scores.asr_bleu,
        chrf=scores.chrf,
        ci95=scores.ci95,
        signature=scores.signature,
        num_utterances=scores.num_utterances,
        num_missing=scores.num_missing,
        text_bleu=text_bleu,
        src_wer=errors.get("WER"),
        mos=mean(ratings),
        asr=describe(options.asr_options()),
        normalizer=Normalizer(options.tgt_lang).name,
        checkpoint=decoded["options"]["checkpoint"],
        seed=trained["options"]["seed"],
        git=git_label(),
        tokens_seen=trained["facts"]["tokens_seen"],
        train_sec=trained["facts"]["train_sec"],
        num_too_long=decoded["facts"].get("num_too_long", 0),
        src_cer=errors.get("CER"),
    )
    kaldi.write_table(options.out_dir / "hyp", heard)
    write_utterance_scores(options.out_dir / "utterances.tsv", scores, ratings)
    # Beside the decodes, where others look for it.
    write_json(options.decode_dir / "score.json", record.to_json())
    stage.finish(
        num_in=len(references),
        num_out=len(heard),
        also=[options.decode_dir / "score.json"],
    )
    missing = ""
    if record.num_missing:
        missing = f", {record.num_missing} of {record.num_utterances} missing"
    if record.num_too_long:
        missing += f", {record.num_too_long} of them too long for the LLM"
    print(
        f"score: {record.system} {record.checkpoint}: ASR-BLEU {record.asr_bleu:.1f}{missing}"
    )


def spoken(vocode_dir: Path) -> dict[str, Path]:
    """Audio by utterance id, of those that have some."""
    table = kaldi.read_table(vocode_dir / "wav.scp")
    return {utterance: Path(wav) for utterance, wav in table.items()}


def without(ids: set[str], table: dict[str, T]) -> dict[str, T]:
    return {k: v for k, v in table.items() if k not in ids}


def rate_all(wavs: dict[str, Path], options: ScoringOptions) -> dict[str, float]:
    """Predicted MOS by utterance id; empty where no predictor is chosen."""
    how = options.mos_options()
    return rate(wavs, how, options.asr_cache) if how else {}


def mean(ratings: dict[str, float]) -> float | None:
    return sum(ratings.values()) / len(ratings) if ratings else None


def check_languages(options: ScoringOptions) -> None:
    """UserError, before anything is loaded, where a language cannot be scored."""
    language(options.src_lang)
    metric(language(options.tgt_lang).tokenizer)
    options.asr_options()


def transcript_errors(
    references: dict[str, str], hypotheses: dict[str, str], code: str
) -> dict[str, float]:
    """{"WER": 0..100 and more}, or {"CER": ...} of a language without spaces."""
    kind = language(code).error_rate
    rate_of = {"WER": word_error_rate, "CER": character_error_rate}[kind]
    return {kind: rate_of(references, hypotheses, normalize=Normalizer(code).normalize)}


def score_texts(
    references: dict[str, str], hypotheses: dict[str, str], options: ScoringOptions
) -> CorpusScores:
    return corpus_scores(
        references,
        hypotheses,
        normalize=Normalizer(options.tgt_lang).normalize,
        tokenize=language(options.tgt_lang).tokenizer,
        num_resamples=options.num_resamples,
        seed=options.bootstrap_seed,
    )


def write_utterance_scores(
    path: Path, scores: CorpusScores, ratings: dict[str, float]
) -> None:
    """Id, sentence BLEU, MOS, normalised reference and hypothesis, worst first."""
    with atomic_write(path) as stream:
        stream.write("id\tbleu\tmos\treference\thypothesis\n")
        for one in sorted(
            scores.utterances, key=lambda one: (one.sentence_bleu, one.utterance_id)
        ):
            rating = ratings.get(one.utterance_id)
            row = (
                one.utterance_id,
                f"{one.sentence_bleu:.1f}",
                "" if rating is None else f"{rating:.3f}",
                one.reference,
                one.hypothesis,
            )
            stream.write("\t".join(row) + "\n")


def git_label() -> str:
    state = git_state()
    return f"{state['hash'] or 'unknown'}{'-dirty' if state['dirty'] else ''}"
