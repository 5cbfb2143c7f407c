"""Scores of the paper's task are what they were, to the last bit, and so is the page.

`recorded.json` was recorded on git 1a7dff5, before a metric was one file.

    python tests/score/test_recorded_scores.py    # records anew, where values are to change
"""

import json
import tempfile
from pathlib import Path
from typing import Any

from made import HEARD, TARGET, data_dir, finished, remember, system, vocoded

from s2st_interleave.data import kaldi
from s2st_interleave.files import read_json
from s2st_interleave.stages import compare, results, score, topline

RECORD = Path(__file__).with_name("recorded.json")
CHANGING = ("git",)  # of the code, not of the scores


def observe(root: Path) -> dict[str, Any]:
    """All that stages 9 and 10 leave of a baseline and a better system."""
    ours = system(root)
    better = HEARD | {"u1": "my brother eats bread and cheese", "u4": "seven apples"}
    theirs = system(root, "scheduled", heard=better)
    for options in (ours, theirs):
        score.run(score.Options(**options, mos="dnsmos"))
    both = {
        "system_dir": theirs["decode_dir"],
        "baseline_dir": ours["decode_dir"],
    }
    compare.run(compare.Options(data_dir=ours["data_dir"], num_resamples=50, **both))
    write_toplines(root, ours)
    page = root / "RESULTS.md"
    results.run(
        results.Options(
            title="es to en",
            src_lang="es",
            topline_dir=root / "topline",
            exp_dir=root / "exp",
            systems=("baseline", "scheduled"),
            decode_tags=("greedy_last",),
            out=page,
        )
    )
    text = page.read_text()
    decode = ours["decode_dir"]
    seen = {
        "score": read_json(decode / "score.json"),
        "scheduled": read_json(theirs["decode_dir"] / "score.json"),
        "compare": read_json(theirs["decode_dir"] / "compare.json"),
        "topline": read_json(root / "topline" / "score.json"),
    }
    for record in seen.values():
        for key in CHANGING:
            record.pop(key, None)
    return seen | {
        "hyp": (decode / "score" / "hyp").read_text(),
        "utterances": (decode / "score" / "utterances.tsv").read_text(),
        "page": text.partition("## Environment")[0] + text.partition("\n## Top")[2],
    }


def write_toplines(root: Path, options: dict[str, Any]) -> None:
    data = kaldi.DataDir(data_dir(root))
    remember(root, data.wavs("tgt"), TARGET)
    resynthesis = vocoded(root, root / "resynthesis", TARGET | {"u0": "house"}, 0.7)
    llm = finished(root / "llm", "text_llm", lambda _: None)
    kept = ("data_dir", "asr", "asr_cache", "num_resamples")
    topline.run(
        topline.Options(
            **{k: options[k] for k in kept},
            mos="dnsmos",
            vocode_dir=resynthesis,
            out_dir=root / "topline",
            llm=llm,
        )
    )


def test_scores_are_what_they_were(tmp_path):
    seen, recorded = observe(tmp_path), json.loads(RECORD.read_text())
    for name, before in recorded.items():
        if isinstance(before, dict):
            assert {k: seen[name].get(k) for k in before} == before
        elif name == "utterances":
            assert columns(seen[name]) == columns(before)
        else:
            assert seen[name] == before


def columns(table: str) -> list[list[str]]:
    """Those that there always were; one digit of sentence BLEU, as there was."""
    names, *rows = (line.split("\t") for line in table.splitlines())
    bleu = "asr_bleu" if "asr_bleu" in names else "bleu"
    kept = [names.index(n) for n in ("id", "mos", "reference", "hypothesis")]
    place = names.index(bleu)
    return [[*(row[k] for k in kept), f"{float(row[place]):.1f}"] for row in rows]


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        text = json.dumps(observe(Path(folder)), indent=1, ensure_ascii=False)
        RECORD.write_text(text + "\n")
