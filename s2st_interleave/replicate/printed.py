"""The paper's printed scores by cell, to stand beside ours and never to be mixed up."""

from s2st_interleave.score.published import PAPER_PAIRS, PaperScore

# Table 1, French; "baseline" there is that of Table 2.
TABLE_1 = {
    "baseline.untrained": PaperScore(9.6, 4.35),
    "no_cot": PaperScore(13.7, 4.21),
}
# Table 3, Portuguese.
TABLE_3 = {
    "src_only": PaperScore(11.1, 4.18),
    "tgt_only": PaperScore(12.6, 4.18),
    "mask": PaperScore(6.2, 4.17),
    "uniform": PaperScore(11.5, 4.16),
}


def printed(pair: str, system: str) -> PaperScore | None:
    """The paper's score of a system on a pair such as "fr_en"; None where it has none."""
    src = pair.partition("_")[0]
    if src == "fr" and system in TABLE_1:
        return TABLE_1[system]
    if src == "pt" and system in TABLE_3:
        return TABLE_3[system]
    if src in PAPER_PAIRS and system in ("baseline", "scheduled", "constant"):
        return getattr(PAPER_PAIRS[src], system)
    return None
