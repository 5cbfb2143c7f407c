"""Options that stage 9's commands share: references, recogniser, metrics."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Literal

from s2st_interleave.config import MOST_JOBS, MOST_SEED, REQUIRED, option
from s2st_interleave.data import sides
from s2st_interleave.data.languages import language
from s2st_interleave.effects import Void
from s2st_interleave.provenance import git_state
from s2st_interleave.score.asr import AsrOptions, BackendName
from s2st_interleave.score.evidence import Evidence, Tools
from s2st_interleave.score.measure import measure
from s2st_interleave.score.metrics.bleu import ASR_BLEU, sacrebleus
from s2st_interleave.score.metrics.mos import MosOptions
from s2st_interleave.score.normalize import Normalizer
from s2st_interleave.score.records import MetricScore
from s2st_interleave.stage_dir import Input
from s2st_interleave.stages.encoder import model_input
from s2st_interleave.values import Device


@dataclass(frozen=True, kw_only=True)
class ScoringOptions:
    data_dir: Path = option(REQUIRED, "data/<split>: the references")
    asr: Path = option(
        Path("large-v3"), "Whisper: folder of weights, or name of the hub or a size"
    )
    asr_backend: BackendName = option(
        "auto",
        "auto: transformers, in batches, on a GPU; faster-whisper on a CPU",
        new=True,
    )
    compute_type: str = option(
        "float32",
        "of the recogniser: float32, float16; of faster-whisper also int8 ...",
    )
    mos: Literal["none", "dnsmos", "utmos"] = option(
        "none", "predictor of speech quality; the paper's is utmos"
    )
    mos_weights: Path | None = option(
        None,
        "of utmos: utmos22_strong_step7459_v1.pt, checked by its hash",
        runtime=True,
    )
    metrics: tuple[str, ...] = option(
        (), "of systems, beside those of the task: ter, loops, exact ...", new=True
    )
    metric_weights: Path | None = option(
        None, "a folder for each metric that is a model, such as comet", runtime=True
    )
    num_resamples: int = option(1000, "of the bootstrap", minimum=1)
    bootstrap_seed: int = option(0, "of the bootstrap", minimum=0, maximum=MOST_SEED)
    asr_cache: Path = option(
        Path("exp/asr_cache"), "what was heard before", runtime=True
    )
    asr_batch: int = option(
        32, "windows of 30 s at once, of transformers", runtime=True, minimum=1
    )
    nj: int = option(
        2,
        "utterances recognised at once, or read for a GPU",
        runtime=True,
        minimum=1,
        maximum=MOST_JOBS,
    )
    device: Device = option(Device("auto"), "auto, cpu, cuda, cuda:1", runtime=True)
    overwrite: bool = option(False, "make it anew", runtime=True)

    earlier = staticmethod(sides.without_languages)
    removed: ClassVar[dict[str, str]] = {
        "src_lang": sides.KNOWN,
        "tgt_lang": sides.KNOWN,
    }

    def __post_init__(self) -> None:
        self.mos_options()

    def voids(self) -> list[Void]:
        return [Void("mos", "utmos", ["mos_weights"])] if self.mos != "utmos" else []

    def mos_options(self) -> MosOptions | None:
        if self.mos == "none":
            return None
        return MosOptions(self.mos, self.mos_weights, self.device, self.nj)

    def asr_options(self, code: str) -> AsrOptions:
        """The recogniser of a language; UserError for one that it does not know."""
        return AsrOptions(
            model=str(self.asr),
            language=code,
            device=self.device,
            compute_type=self.compute_type,
            num_workers=self.nj,
            backend=self.asr_backend,
            batch_size=self.asr_batch,
        )

    def asr_input(self) -> Input | str:
        if len(self.asr.parts) > 1:  # a name such as large-v3 has one part
            return model_input(self.asr)
        return str(self.asr)

    def tools(self, asr: AsrOptions | None) -> Tools:
        return Tools(
            asr=asr,
            cache=self.asr_cache,
            mos=self.mos_options(),
            weights=self.metric_weights,
            device=self.device,
        )


def normalizer_inputs(codes: Iterable[str]) -> dict[str, Input | str]:
    """The normalisers of languages, where scores of earlier versions had other rules."""
    names = sorted({Normalizer(code).input for code in codes} - {""})
    return {"normalizer": "; ".join(names)} if names else {}


def check_languages(languages: Mapping[str, str], translated: Collection[str]) -> None:
    """UserError, before anything is loaded, where a language cannot be scored.

    `languages` are codes by side; the sides in `translated` are scored by BLEU.
    """
    for side, code in languages.items():
        known = language(code)
        if side in translated:
            sacrebleus(known.tokenizer)


def score_texts(
    references: Mapping[str, str],
    hypotheses: Mapping[str, str],
    code: str,
    options: ScoringOptions,
) -> MetricScore:
    """BLEU of texts in the language `code`, by utterance id."""
    return measure(
        ASR_BLEU,
        Evidence(references, hypotheses, code),
        num_resamples=options.num_resamples,
        seed=options.bootstrap_seed,
    ).score


def git_label() -> str:
    state = git_state()
    return f"{state['hash'] or 'unknown'}{'-dirty' if state['dirty'] else ''}"
