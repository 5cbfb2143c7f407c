"""The paper's own scores, to stand beside a run's and never to be mistaken for them."""

from dataclasses import dataclass

CITATION = (
    "Futami et al., Scheduled Interleaved Speech-Text Training for Speech-to-Speech "
    "Translation with LLMs, Interspeech 2025, doi 10.21437/Interspeech.2025-1595"
)


@dataclass(frozen=True)
class PaperScore:
    """ASR-BLEU (Whisper large-v3) and UTMOS on 1,000 test utterances of CVSS-C."""

    asr_bleu: float
    utmos: float


@dataclass(frozen=True)
class PaperPair:
    """One language pair into English: hours of training speech, three systems."""

    name: str
    hours: int
    baseline: PaperScore
    scheduled: PaperScore
    constant: PaperScore


def _pair(name: str, hours: int, *scores: tuple[float, float]) -> PaperPair:
    return PaperPair(name, hours, *(PaperScore(*score) for score in scores))


# By source language; columns: no interleaving, scheduled, constant p = 0.3.
PAPER_PAIRS: dict[str, PaperPair] = {
    "fr": _pair("French", 180, (28.8, 4.21), (29.5, 4.23), (25.8, 4.11)),
    "de": _pair("German", 119, (27.3, 4.22), (29.2, 4.21), (22.1, 4.11)),
    "es": _pair("Spanish", 97, (33.5, 4.28), (33.9, 4.28), (21.9, 4.29)),
    "ca": _pair("Catalan", 81, (23.8, 4.17), (25.9, 4.21), (17.8, 4.10)),
    "it": _pair("Italian", 28, (12.8, 4.23), (19.5, 4.23), (14.4, 4.22)),
    "ru": _pair("Russian", 16, (6.0, 4.25), (14.1, 4.23), (6.0, 4.12)),
    "pt": _pair("Portuguese", 7, (10.3, 4.17), (19.5, 4.17), (12.0, 4.11)),
}


# Table 1, French; "baseline" there is that of Table 2.
TABLE_1_SOURCE = "fr"
TABLE_1 = {
    "baseline.untrained": PaperScore(9.6, 4.35),
    "no_cot": PaperScore(13.7, 4.21),
}
# Table 3 and Figure 3, Portuguese.
TABLE_3_SOURCE = "pt"
TABLE_3 = {
    "src_only": PaperScore(11.1, 4.18),
    "tgt_only": PaperScore(12.6, 4.18),
    "mask": PaperScore(6.2, 4.17),
    "uniform": PaperScore(11.5, 4.16),
}


def published_score(src_lang: str, system: str) -> PaperScore | None:
    """The paper's score of a system on a pair into English; None where it has none."""
    if src_lang == TABLE_1_SOURCE and system in TABLE_1:
        return TABLE_1[system]
    if src_lang == TABLE_3_SOURCE and system in TABLE_3:
        return TABLE_3[system]
    if src_lang in PAPER_PAIRS and system in ("baseline", "scheduled", "constant"):
        return getattr(PAPER_PAIRS[src_lang], system)
    return None


def paper_rows(src_lang: str) -> tuple[list[str], list[list[str]]]:
    """Return header and rows, ASR-BLEU / UTMOS a cell, for one source language.

    A language that the paper does not have gets all of its pairs.
    """
    languages = [src_lang] if src_lang in PAPER_PAIRS else list(PAPER_PAIRS)
    header = ["paper, into English", "hours", "baseline", "scheduled", "constant 0.3"]
    rows = []
    for pair in (PAPER_PAIRS[language] for language in languages):
        scores = (pair.baseline, pair.scheduled, pair.constant)
        cells = [f"{score.asr_bleu:.1f} / {score.utmos:.2f}" for score in scores]
        rows.append([pair.name, f"{pair.hours}", *cells])
    return header, rows
