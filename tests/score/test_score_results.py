"""Score records are strict; RESULTS.md shows everything or fails."""

import dataclasses
import json

import pytest

from s2st_interleave.errors import UserError
from s2st_interleave.interleave.layout import S2ST
from s2st_interleave.score import records
from s2st_interleave.score.comparable import MissingScoreError
from s2st_interleave.score.records import (
    AsrDescription,
    Comparison,
    MetricScore,
    SystemScore,
    ToplineScore,
)
from s2st_interleave.score.results import (
    HEADER,
    Environment,
    Results,
    render_markdown,
    render_terminal,
)

NOTE = "Made of tones."
ASR = AsrDescription("faster-whisper", "1.2.1", "tiny.en", "ab" * 32, "float32", "en")
TOPLINE = ToplineScore(
    "test", 90.0, 80.0, 95.5, 3.9, 3.7, "sig", 100, ASR, "norm", "abc1234"
)
SYSTEM = SystemScore(
    system="scheduled",
    split="test",
    asr_bleu=40.0,
    chrf=55.5,
    ci95=(37.2, 42.9),
    signature="sig",
    num_utterances=100,
    num_missing=2,
    text_bleu=50.0,
    src_wer=None,
    mos=3.61,
    asr=ASR,
    normalizer="norm",
    checkpoint="last",
    seed=1,
    git="abc1234",
    tokens_seen=1234567,
    train_sec=61.4,
)
BASELINE = dataclasses.replace(SYSTEM, system="baseline", asr_bleu=20.0)
COMPARISON = Comparison(
    "scheduled", "baseline", "last", "test", "asr_bleu", 20.0, (15.1, 24.8), 0.001, 9, 1
)
RESULTS = Results(
    title="Mini CVSS, es to en",
    src_lang="es",
    corpus_note=NOTE,
    environment=Environment(
        "2026-01-02",
        "3.11.2",
        (("torch", "2.13.0"),),
        "abc1234",
        True,
        1,
        "conf/x.yaml",
    ),
    topline=TOPLINE,
    systems=(BASELINE, SYSTEM),
    comparisons=(COMPARISON,),
)


@pytest.mark.parametrize("record", [SYSTEM, TOPLINE, COMPARISON])
def test_records_survive_json(record: SystemScore) -> None:
    data = json.loads(json.dumps(dataclasses.asdict(record)))
    assert records.from_json(type(record), data, "score.json") == record


def test_whole_numbers_are_floats() -> None:
    data = dataclasses.asdict(SYSTEM) | {"asr_bleu": 40}
    assert isinstance(
        records.from_json(SystemScore, data, "score.json").asr_bleu, float
    )


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"chfr": 1.0}, r"score\.json: unknown key 'chfr'; did you mean 'chrf'"),
        ({"asr_bleu": None}, r"score\.json: asr_bleu: expected a score, not None"),
        ({"asr_bleu": float("nan")}, "asr_bleu: expected float, not nan"),
        ({"asr_bleu": "40"}, "asr_bleu"),
        ({"seed": True}, "seed"),
        ({"ci95": [1.0]}, r"ci95: expected \[low, high\]"),
        ({"asr": {"backend": "x"}}, "asr: missing keys: version"),
    ],
)
def test_wrong_score_file_is_named(change: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        records.from_json(
            SystemScore, dataclasses.asdict(SYSTEM) | change, "score.json"
        )


def test_missing_key_and_non_object_are_named() -> None:
    data = dataclasses.asdict(SYSTEM)
    del data["num_missing"]
    with pytest.raises(ValueError, match=r"x/score\.json: missing keys: num_missing"):
        records.from_json(SystemScore, data, "x/score.json")
    with pytest.raises(ValueError, match=r"x/score\.json: expected an object"):
        records.from_json(SystemScore, [], "x/score.json")


def test_markdown_shows_every_score() -> None:
    text = render_markdown(RESULTS)
    assert text.splitlines()[0] == HEADER
    assert text.isascii()
    for part in (
        NOTE,
        "`abc1234` (with uncommitted changes)",
        "| ASR on the reference audio | 90.0 | 100% | 3.90 |",
        "| 80.0 | 89% | 3.70 |",
        "| scheduled | last | 40.0 [37.2, 42.9] | 55.5 | n/a | 50.0 | 3.61 | 2 | 50% "
        "| 1,234,567 | 61 |",
        "| scheduled | last | asr_bleu | +20.0 | [15.1, 24.8] | yes | 0.0010 | 9 |",
        "## The paper's figures (not ours)",
        "| Spanish | 97 | 33.5 / 4.28 | 33.9 / 4.28 | 21.9 / 4.29 |",
    ):
        assert part in text


def test_tables_have_as_many_cells_as_their_header() -> None:
    widths: list[int] = []
    for line in render_markdown(RESULTS).splitlines():
        if not line.startswith("|"):
            widths.clear()
            continue
        widths.append(line.count("|"))
        assert widths[-1] == widths[0], line


def test_terminal_columns_are_aligned() -> None:
    header, *rows, toplines = render_terminal(RESULTS).splitlines()
    column = header.index("checkpoint")
    assert [row[column : column + 4] for row in rows] == ["last", "last"]
    assert "resynthesis 80.0" in toplines


@pytest.mark.parametrize("missing", ["systems", "comparisons"])
def test_missing_score_names_the_stage(missing: str) -> None:
    with pytest.raises(MissingScoreError, match=r"stage 9 \(score\)"):
        render_markdown(dataclasses.replace(RESULTS, **{missing: ()}))


def test_other_recogniser_is_not_comparable() -> None:
    other = dataclasses.replace(SYSTEM, asr=dataclasses.replace(ASR, model="large-v3"))
    with pytest.raises(ValueError, match=r"scheduled \(last\) is not comparable.* asr"):
        render_markdown(dataclasses.replace(RESULTS, systems=(BASELINE, other)))


def test_a_task_that_speaks_has_a_page_without_asr_bleu() -> None:
    """Its primary metric's signature was held against that of the toplines' BLEU."""
    ter = MetricScore(45.67, (40.0, 50.0), "nrefs:1|tok:tercom", 100)
    systems = [
        dataclasses.replace(
            each,
            asr_bleu=None,
            primary="ter",
            signature=ter.signature,
            metrics={"ter": ter},
        )
        for each in (BASELINE, SYSTEM)
    ]
    results = dataclasses.replace(RESULTS, systems=tuple(systems))
    text = render_markdown(results)
    assert "| ASR on the reference audio | 90.0 |" in text
    assert "of resynthesis |" not in text and "TER: `nrefs:1|tok:tercom`." in text
    systems[1] = dataclasses.replace(systems[1], signature="nrefs:1|tok:other")
    with pytest.raises(UserError, match="not comparable with baseline: signature"):
        render_markdown(dataclasses.replace(results, systems=tuple(systems)))


def test_baseline_alone_needs_no_comparison() -> None:
    alone = dataclasses.replace(RESULTS, systems=(BASELINE,), comparisons=())
    assert "nothing to compare" in render_markdown(alone)


def test_language_without_paper_figures_shows_all_pairs() -> None:
    text = render_markdown(dataclasses.replace(RESULTS, src_lang="eo"))
    assert all(name in text for name in ("French", "Portuguese", "Russian"))


@pytest.mark.parametrize(
    ("src_lang", "heard", "layout"),
    [
        ("en", "es", S2ST),
        ("en", "en", S2ST),
        ("es", "en", "left_speech -> left_text right_text right_speech"),
    ],
)
def test_the_papers_figures_stand_on_pages_of_its_tasks_alone(src_lang, heard, layout):
    """English to Spanish had all pairs into English, three sides a transcript WER of n/a."""
    asr = dataclasses.replace(ASR, language=heard)
    systems = tuple(
        dataclasses.replace(
            each, asr=asr, layout=layout, metrics={"asr_bleu": each.scores["asr_bleu"]}
        )
        for each in (BASELINE, SYSTEM)
    )
    topline = dataclasses.replace(TOPLINE, asr=asr)
    text = render_markdown(
        dataclasses.replace(
            RESULTS, src_lang=src_lang, topline=topline, systems=systems
        )
    )
    assert "The paper's figures" not in text
    assert ("transcript WER" in text) == (layout == S2ST and heard == "en")


def extended(system: SystemScore, **metrics: MetricScore) -> SystemScore:
    """With further scores, as stage 9 writes them beside those of before."""
    return dataclasses.replace(system, metrics={**system.scores, **metrics})


def test_a_table_has_a_column_for_each_further_score() -> None:
    ter = MetricScore(45.67, (40.0, 50.0), "sig", 100)
    gone = MetricScore(1.5, None, "of a version that knew it", 100)
    systems = (BASELINE, extended(SYSTEM, ter=ter, unheard_of=gone))
    text = render_markdown(dataclasses.replace(RESULTS, systems=systems))
    assert "| MOS | TER | unheard_of | missing |" in text
    assert "| 3.61 | 45.7 | 1.5 | 2 |" in text
    assert "| 3.61 | n/a | n/a | 2 |" in text


def test_systems_with_different_tasks_do_not_share_a_table() -> None:
    bleu = MetricScore(50.0, (45.0, 55.0), "sig", 100)
    other = dataclasses.replace(
        extended(SYSTEM, text_bleu=bleu),
        primary="text_bleu",
        layout="src_text -> tgt_text",
    )
    with pytest.raises(UserError, match="different tasks, scored by asr_bleu and text"):
        render_markdown(dataclasses.replace(RESULTS, systems=(BASELINE, other)))


def test_a_difference_says_where_lower_is_better() -> None:
    ter = dataclasses.replace(COMPARISON, metric="ter", delta=-2.34)
    text = render_markdown(dataclasses.replace(RESULTS, comparisons=(COMPARISON, ter)))
    assert "| ter (lower is better) | -2.3 |" in text
