"""The report is one file that shows and plays what there is, and says what there is not."""

import base64
import io
import re
import shutil
from html.parser import HTMLParser
from pathlib import Path

import pytest
import soundfile
from tiny_report import article, options, report, scored, trained

from s2st_interleave import __main__ as command_line
from s2st_interleave.data import kaldi
from s2st_interleave.errors import UserError
from s2st_interleave.files import read_json, write_json
from s2st_interleave.report import command
from s2st_interleave.report.command import Options
from s2st_interleave.report.look import POLICY

VOID = {"meta", "img", "path", "circle"}


class Elements(HTMLParser):
    """The elements of a page; an element that is not closed is an error."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.all: list[tuple[str, dict[str, str | None]]] = []
        self._open: list[str] = []
        self.feed(html)
        assert not self._open

    def handle_starttag(self, tag, attrs):
        self.all.append((tag, dict(attrs)))
        if tag not in VOID:
            self._open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.all.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        assert self._open.pop() == tag

    def values(self, tag: str, name: str) -> list[str]:
        return [a[name] or "" for t, a in self.all if t == tag and name in a]


def test_the_page_loads_nothing_and_its_links_lead_somewhere(recipe, tmp_path):
    html = report(tmp_path, options(recipe))
    elements = Elements(html)
    assert POLICY in elements.values("meta", "content") and "http" not in POLICY
    sources = elements.values("img", "src") + elements.values("audio", "src")
    assert sources and all(source.startswith("data:") for source in sources)
    ids = [a["id"] for _, a in elements.all if "id" in a]
    assert len(set(ids)) == len(ids)
    links = elements.values("a", "href")
    assert len(links) > 8 and {link[1:] for link in links} <= set(ids)
    assert not re.search(r"https?://|@import|url\(|<link", html)


def test_a_quick_run_is_reported_where_no_other_run_was_made(
    recipe, tmp_path, monkeypatch, capsys
):
    """`run.sh --quick true` makes all below quick/, and `report` ended in an error."""
    monkeypatch.chdir(tmp_path)
    command_line.main(["report"])
    assert "exp: no such directory: run this from a recipe's" in capsys.readouterr().err
    Path("quick").symlink_to(recipe)
    assert command_line.main(["report", "--out", "mine.html"]) == 0
    captured = capsys.readouterr()
    assert captured.err == "no exp here: taking quick/exp, of a quick run\n"
    assert "6 examples" in captured.out and Path("mine.html").is_file()


def test_the_same_inputs_give_the_same_bytes_and_it_is_said(recipe, tmp_path, capsys):
    first = report(tmp_path, options(recipe))
    written = (tmp_path / "report.html").stat().st_mtime_ns
    assert report(tmp_path, options(recipe)) == first
    assert "up to date (6 examples, " in capsys.readouterr().out
    assert (tmp_path / "report.html").stat().st_mtime_ns == written


def test_each_recording_decodes_to_the_seconds_that_stand_beside_it(recipe, tmp_path):
    html = report(tmp_path, options(recipe))
    elements = Elements(html)
    said = [float(x) for x in re.findall(r"0 to 8 kHz, ([\d.]+) s", html)]
    kept = [
        soundfile.info(io.BytesIO(base64.b64decode(source.partition(",")[2]))).duration
        for source in elements.values("audio", "src")
    ]
    # Six utterances; source, reference, resynthesis, and two systems, less a silent answer.
    assert len(kept) == len(said) == 6 * 5 - 1
    assert kept == pytest.approx(said, abs=0.01)


def test_what_is_said_of_the_corpus_stands_below_the_title(recipe, tmp_path):
    """RESULTS.md began with it, and who read the page alone took its scores for more."""
    note = tmp_path / "note.txt"
    note.write_text("Thirty-two sentences\ndecide <little>.\n")
    header = report(tmp_path, options(recipe, title="Tiny", corpus_note=note))
    header = header.partition("</header>")[0]
    assert "Tiny</h1>\n<p>Thirty-two sentences decide &lt;little&gt;.</p>" in header


def test_another_split_has_a_page_of_its_own(recipe, tmp_path):
    """It took the place of the main test set's, as `--split` alone was given."""
    copy = tmp_path / "copy"
    shutil.copytree(recipe, copy)
    shutil.copytree(copy / "data" / "test", copy / "data" / "other")
    command.run(options(copy, split="other"))
    assert (copy / "exp" / "report.other.html").is_file()
    assert not (copy / "exp" / "report.html").exists()


def test_tables_and_curves_are_of_all_systems(recipe, tmp_path):
    html = report(tmp_path, options(recipe))
    score = read_json(recipe / "exp/scheduled/greedy_last/test/score.json")
    low, high = score["ci95"]
    assert f"{score['asr_bleu']:.1f} [{low:.1f}, {high:.1f}]" in html
    assert "Differences to baseline" in html
    for title in ("Loss of training", "Loss on dev", "Text ratio p"):
        (label,) = re.findall(f'aria-label="{title}[^"]*"', html)
        assert "baseline ends at" in label and "scheduled ends at" in label


def test_an_example_shows_what_was_heard_against_the_reference(recipe, tmp_path):
    of_u1 = article(report(tmp_path, options(recipe)), "u1")
    assert (
        'my <span class="sub"><del>brother</del> <ins>sister</ins></span> eats' in of_u1
    )
    assert "scheduled: most above baseline" in of_u1
    assert 'lang="es" dir="ltr">mi hermano come pan y queso</dd>' in of_u1
    assert 'title="hermano, 0.17 to 0.33 s"' in of_u1  # a word of stage 3
    assert "no word times: no --encoder given" in of_u1


def test_drops_and_faults_are_counted_with_reasons(recipe, tmp_path):
    html = report(tmp_path, options(recipe)).partition('id="faults"')[2]
    assert "u9: bad: -9" in html and "1 of 6" in html
    cells = re.findall("<tr><th [^>]*row.>(.*?)</th><td>(.*?)</td><td>(.*?)</td>", html)
    assert ("baseline", "no speech", "1") in cells
    assert ("scheduled", "heard as a loop", "1") in cells
    assert ("baseline", "too long for the LLM", "1") in cells


def test_utterances_that_are_asked_for_come_first_and_a_typo_is_told(recipe, tmp_path):
    html = report(tmp_path, options(recipe, ids=("u3", "u0"), num_examples=0))
    assert re.findall("<h3>(u.)</h3>", html) == ["u3", "u0"]
    with pytest.raises(UserError, match=r"no utterance u33 in .*did you mean 'u3'"):
        report(tmp_path, options(recipe, ids=("u33",)))


def test_a_directory_without_experiments_is_told(tmp_path):
    with pytest.raises(UserError, match="run this from a recipe's directory"):
        report(tmp_path, options(tmp_path))


def test_before_anything_is_scored_there_are_the_curves_of_trainings(recipe, tmp_path):
    exp = tmp_path / "exp"
    (exp / "scheduled").mkdir(parents=True)
    (exp / "scheduled" / "config.yaml").touch()
    trained(exp / "scheduled", 0.9)
    asked = Options(exp_dir=exp, data_dir=recipe / "data", ids=("u0",))
    html = report(tmp_path, asked)
    assert "No system has a score yet" in html and "scheduled ends at" in html
    assert html.count("<audio") == 2  # source and reference of u0


def test_one_system_without_toplines_has_a_page_that_says_what_is_missing(
    recipe, tmp_path
):
    system = recipe / "exp" / "begun"
    system.mkdir()
    (system / "config.yaml").touch()
    trained(system, 0.9)
    html = report(tmp_path, options(recipe, systems=("scheduled", "begun")))
    assert "begun/greedy_last/test has no score.json: stage 9 (score) makes it" in html
    assert (
        'class="note">The toplines (reference and resynthesis) were not scored' in html
    )
    assert "scheduled: sentence BLEU" in html and "baseline: sentence" not in html
    shutil.rmtree(system)


@pytest.mark.parametrize(
    ("layout", "name"),
    [
        ("src_speech -> src_text", "transcript"),
        ("src_speech -> src_text tgt_text", "translation"),
        ("tgt_text -> tgt_speech", "heard"),
    ],
)
def test_other_tasks_have_what_they_answer_with(tmp_path, layout, name):
    scored(tmp_path, "asr", layout)
    html = report(tmp_path, options(tmp_path, num_examples=3))
    Elements(html)
    assert f"<dt>{name}</dt>" in html
    own = re.findall(r'aria-label="asr, example \d+"', html)
    assert bool(own) == layout.endswith("_speech")
    assert ("Duration by that of the reference" in html) == bool(own)
    assert "Length: words by those of the reference" in html


def test_axes_are_named_and_no_resynthesis_is_spoken_of_where_there_is_none(
    recipe, tmp_path
):
    """The charts of lengths had numbers of nothing; the note explained what was not there."""
    html = report(tmp_path, options(recipe))
    assert html.count(">% of utterances</text>") == 3 and "0.1 wide" in html
    assert "A resynthesis has the borders" in html
    copy = tmp_path / "copy"
    shutil.copytree(recipe, copy)
    shutil.rmtree(copy / "exp" / "resynthesis")
    assert "esynthesis has" not in report(tmp_path, options(copy))


def test_a_system_that_has_not_answered_has_a_page(tmp_path):
    scored(tmp_path, "mute", heard={}, written={"src": {}, "tgt": {}})
    html = report(tmp_path, options(tmp_path, num_examples=2))
    Elements(html)
    assert "no speech: the answer has no units" in html and "(nothing)" in html


def test_nothing_but_the_chosen_of_15000_utterances_is_kept(tmp_path):
    folder = scored(tmp_path, "baseline")
    score = folder / "score" / "utterances.tsv"
    header, *rows = score.read_text().splitlines()
    ids = [f"v{k:05}" for k in range(15_000)]
    lines = (f"{u}{rows[k % len(rows)][2:]}" for k, u in enumerate(ids))
    score.write_text("\n".join([header, *lines]) + "\n")
    data = kaldi.DataDir(tmp_path / "data" / "test")
    first = next(iter(kaldi.read_table(folder / "vocode" / "wav.scp").values()))
    kaldi.write_table(folder / "vocode" / "wav.scp", dict.fromkeys(ids, first))
    kaldi.write_table(folder / "score" / "hyp", dict.fromkeys(ids, "the red house"))
    for side in ("src", "tgt"):
        wav = str(data.wavs(side)["u0"])
        kaldi.write_table(data.file("wav.scp", side), dict.fromkeys(ids, wav))
        kaldi.write_table(data.file("text", side), dict.fromkeys(ids, "la casa"))
        kaldi.write_table(data.file("utt2dur", side), dict.fromkeys(ids, "1.0"))
    html = report(tmp_path, options(tmp_path, ids=("v00007",), num_examples=4))
    assert html.count("<article") == 5 and "5 of 15000 utterances" in html
    assert len(html) < 1e6


def test_answers_that_were_not_looked_at_had_no_faults(recipe, tmp_path):
    """utterances.tsv was gone, and the page said that nothing was heard as a loop."""
    copy = tmp_path / "copy"
    shutil.copytree(recipe, copy)
    for table in copy.glob("exp/scheduled/*/test/score/utterances.tsv"):
        table.unlink()
    html = report(tmp_path, options(copy))
    assert "not looked at, as score/utterances.tsv is missing" in html


def test_a_score_that_is_no_score_is_named(tmp_path):
    folder = scored(tmp_path, "baseline")
    score = read_json(folder / "score.json")
    write_json(folder / "score.json", {**score, "asr_bleu": "high"})
    with pytest.raises(UserError, match=r"score\.json: asr_bleu"):
        report(tmp_path, options(tmp_path))


def test_ids_and_texts_may_hold_anything(tmp_path):
    nasty = "<script>alert('x')</script> \"&\u202e\u0007"
    name = "u0<b>&\"'"
    texts = {"src": {name: nasty}, "tgt": {name: nasty}}
    folder = scored(tmp_path, "baseline")
    data = kaldi.DataDir(tmp_path / "data" / "test")
    for side in ("src", "tgt"):
        kaldi.write_table(data.file("text", side), texts[side])
        kaldi.write_table(folder / f"text.{side}", texts[side])
    kaldi.write_table(folder / "score" / "hyp", texts["tgt"])
    head = "id\tasr_bleu\treference\thypothesis\n"
    (folder / "score" / "utterances.tsv").write_text(f"{head}{name}\t1.0\ta\tb\n")
    html = report(tmp_path, options(tmp_path, title=nasty))
    elements = Elements(html)
    assert sum(tag == "script" for tag, _ in elements.all) == 1
    assert "<b>" not in html and "\u0007" not in html


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"systems": ("schedulde",)}, "no system 'schedulde' in .*did you mean"),
        ({"baseline": "first"}, "no --baseline 'first' in"),
        ({"decode_tags": ("greedy_lats",)}, "no decode 'greedy_lats' in .*greedy_last"),
    ],
)
def test_a_name_that_is_not_there_is_refused(recipe, tmp_path, changed, message):
    """The page of a misspelt system was written over the good one, without a system."""
    with pytest.raises(UserError, match=message):
        report(tmp_path, Options(**{**vars(options(recipe)), **changed}))
    assert not (tmp_path / "report.html").exists()
