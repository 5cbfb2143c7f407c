"""All stages of egs/cvss/pt_en as a user types them, with tiny models of the real kinds.

The corpus is made, but lies as CVSS-C, CoVoST 2 and Common Voice are distributed, with the
damage that they have. What is tiny stands in db.sh and conf/, where a user would put it.
"""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import warm_python
from tiny_cvss import copy_recipes

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        shutil.which("flite") is None,
        reason="flite is not installed: apt-get install flite",
    ),
]

ONE_CORE = ["--nj", "1", "--device", "cpu"]


def run(folder: Path, *options: str, status: int = 0, cwd: Path | None = None) -> str:
    bin_dir = str(Path(sys.executable).parent)
    threads = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    done = subprocess.run(
        [folder / "run.sh", *options],
        cwd=cwd,
        env=os.environ | threads | {"PATH": f"{bin_dir}:{os.environ['PATH']}"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=900,
        check=False,
    )
    assert done.returncode == status, done.stdout[-8000:]
    return done.stdout


@pytest.fixture(scope="module")
def egs(tmp_path_factory, text_llm, python) -> Path:
    root = tmp_path_factory.mktemp("cvss") / "a user's copy"
    egs = copy_recipes(root, text_llm)
    warm_python.put_into(root, python)
    return egs


@pytest.fixture(scope="module")
def pair(egs) -> tuple[Path, str]:
    """A finished run of pt_en, which makes x_en's parts, and its output."""
    folder = egs / "cvss" / "pt_en"
    less = ["--checkpoints", "last", "--test_sets", "test1k"]
    return folder, run(folder, *less, *ONE_CORE)


def test_results_of_the_published_test_ids(pair):
    folder, output = pair
    assert "ASR-BLEU" in output
    text = (folder / "exp" / "RESULTS.md").read_text()
    assert "baseline" in text and "scheduled" in text and "19.5 / 4.17" in text
    for system in ("baseline", "scheduled"):
        path = folder / "exp" / system / "greedy_last" / "test1k" / "score.json"
        score = json.loads(path.read_text())
        assert (score["num_utterances"], score["num_missing"]) == (5, 1)


def test_damage_is_dropped_from_train_and_kept_in_test(pair):
    data = pair[0] / "data"
    dropped = (data / "train" / "dropped.tsv").read_text()
    assert dropped.startswith("common_voice_pt_3000000\tno audio, src is broken: ")
    assert dropped.count("\n") == 1
    assert "common_voice_pt_3000001 " in (data / "train" / "wav.scp.src").read_text()
    for split in ("test", "test1k"):
        faults = (data / split / "faults.src").read_text()
        assert faults.startswith("common_voice_pt_2000001 no audio, src is broken: ")
        assert len((data / split / "text.src").read_text().splitlines()) == 5
    hypotheses = pair[0] / "exp/baseline/greedy_last/test1k/score/hyp"
    assert "common_voice_pt_2000001" not in hypotheses.read_text()


def test_shared_parts_are_made_once_and_found(pair):
    folder, output = pair
    shared = folder.parent / "x_en" / "exp"
    for part in ("encoder", "kmeans", "vocoder"):
        assert (shared / part / "stage.json").is_file()
        assert not (folder / "exp" / part).exists()
        assert f"{part}: shared, ../x_en/exp/{part}" in output
    assert output.count(", its tables go to ") == 1
    again = run(folder.parent / "x_en", *ONE_CORE)
    assert " finished: " not in again and again.count("up to date, skipped") == 9


def test_what_was_deleted_is_made_again_and_all_else_stays_valid(pair):
    """Audio of this pair, and the codebook that others share: it is made where it was."""
    folder, _ = pair
    shared = folder.parent / "x_en" / "exp"
    shutil.rmtree(folder / "dump" / "audio")
    (shared / "kmeans" / "centroids.safetensors").unlink()
    less = ["--checkpoints", "last", "--test_sets", "test1k", *ONE_CORE]
    again = run(folder, *less, "--stop_stage", "9")
    finished = [line for line in again.splitlines() if " finished: " in line]
    assert [line.split(" finished: ")[0] for line in finished] == [
        *(f"data: ../pt_en/data/{split}" for split in ("dev", "test", "train")),
        "kmeans: exp/kmeans",
    ]
    assert again.count("up to date, skipped") > 15
    assert (shared / "kmeans" / "centroids.safetensors").is_file()


def test_what_was_trained_translates_a_recording(pair, python, tmp_path):
    folder, _ = pair
    options = ["--checkpoints", "last", "--test_sets", "test1k", *ONE_CORE]
    run(folder, "--stage", "11", "--stop_stage", "11", *options)
    packed = folder / "exp" / "pack" / "scheduled"
    score = folder / "exp/scheduled/greedy_last/test1k/score.json"
    assert (packed / "score.json").read_bytes() == score.read_bytes()
    assert "hifigan" in (packed / "vocoder" / "vocoder.json").read_text()
    assert "text_ratio_every: 1" in (packed / "config.yaml").read_text()
    clips = folder.parents[2] / "the corpora/cv-corpus-4-2019-12-10/pt/clips"
    clip = clips / "common_voice_pt_2000000.mp3"
    words = ["translate", "--model", packed, clip, "--out", tmp_path / "said.wav"]
    done = subprocess.run(
        [python, "-m", "s2st_interleave", *words],
        capture_output=True,
        text=True,
        check=True,
    )
    said = [line[:6] for line in done.stdout.splitlines()]
    assert said[1:3] == ["  pt: ", "  en: "]
    assert (tmp_path / "said.wav").stat().st_size > 44


TASKS = {  # and what each is scored by
    "s2st_direct": ["asr_bleu", "chrf"],
    "s2tt": ["text_bleu", "chrf", "wer"],
    "asr": ["wer", "cer"],
    "tts": ["wer", "asr_bleu", "chrf"],
}


@pytest.mark.parametrize(
    ("task", "scores"),
    [
        # The others are scored by the test of several tasks as well.
        pytest.param(*item, marks=() if item[0] == "s2tt" else pytest.mark.nightly)
        for item in TASKS.items()
    ],
)
def test_another_task_is_trained_and_scored_by_what_it_answers(pair, task, scores):
    folder, _ = pair
    options = ["--stage", "6", "--task", task, "--checkpoints", "last"]
    options += ["--test_sets", "test1k", "--expdir", f"exp_{task}"]
    options += ["--results", f"{task}.md", "--score_args", "--metrics exact"]
    output = run(folder, *options, *ONE_CORE)
    for system in ("baseline", "scheduled"):
        decode = folder / f"exp_{task}" / system / "greedy_last" / "test1k"
        score = json.loads((decode / "score.json").read_text())
        assert score["primary"] == scores[0]
        assert sorted(score["metrics"]) == sorted([*scores, "exact"])
        assert (score["num_utterances"], score["asr"] is not None) == (
            5,
            "asr_bleu" in scores,
        )
    compared = json.loads((decode / "compare.json").read_text())
    assert compared["metric"] == scores[0]
    page = (folder / f"{task}.md").read_text()
    assert "| exact % |" in page and "results: " in output
    assert ("## Toplines" in page) == (score["asr"] is not None)
    made = (folder / f"exp_{task}" / "resynthesis").exists()
    assert made == (score["asr"] is not None)
    if task == "s2tt":  # a packed model of it needs no vocoder
        run(folder, *options[2:10], "--stage", "11", "--stop_stage", "11", *ONE_CORE)
        packed = folder / f"exp_{task}" / "pack" / "scheduled"
        assert not (packed / "vocoder").exists()
        assert json.loads((packed / "pack.json").read_text())["sides"]["src"] == "pt"


def test_several_tasks_of_one_training_are_scored_each_by_its_name(pair):
    folder, _ = pair
    less = ["--checkpoints", "last", "--test_sets", "test1k", "--toplines", "false"]
    one = ["--systems", "scheduled", *less, *ONE_CORE]
    shipped = folder.parent / "conf" / "tasks"
    tasks = {path.stem: f"../conf/tasks/{path.name}" for path in shipped.iterdir()}
    assert tasks.keys() == {"s2st", *TASKS}  # whoever ships another scores it here
    weights = [3.0 if task == "s2st" else 1.0 for task in tasks]
    several = {"tasks": list(tasks.values()), "task_weights": weights}
    (folder / "several.yaml").write_text(json.dumps(several))
    more = ["--stage", "6", "--stop_stage", "6", "--expdir", "exp_several"]
    run(folder, *more, "--train_args", "--config several.yaml", *one)
    trained = json.loads((folder / "exp_several/scheduled/stage.json").read_text())
    assert trained["facts"]["tasks"].keys() == tasks.keys()
    for task in tasks:
        exp = f"exp_several/{task}"
        options = ["--task", task, "--decode_args", f"--task {task}"]
        options += ["--trained", "exp_several", "--expdir", exp]
        run(folder, "--stage", "7", "--stop_stage", "9", *options, *one)
        decode = folder / exp / "scheduled" / "greedy_last" / "test1k"
        score = json.loads((decode / "score.json").read_text())
        wanted = TASKS.get(task, ["asr_bleu", "chrf"])
        assert set(wanted) <= score["metrics"].keys() and score["num_utterances"] == 5
        assert (decode / "vocode").is_dir() == ("asr_bleu" in wanted)


def test_the_language_and_the_place_of_a_corpus_are_checked(pair, egs):
    folder = egs / "cvss" / "de_en"
    stage = ["--stage", "1", "--stop_stage", "1"]
    output = run(folder, *stage, status=1)
    assert "cv-corpus-4-2019-12-10/de/validated.tsv is missing" in output
    output = run(folder, *stage, "--src_lang", "sv", status=1)
    assert "'sv' is no source language of CVSS; did you mean 'sv-SE'?" in output
    output = run(folder, *stage, "--cvss", "", status=1)
    assert "--cvss is not set; egs/cvss/db.sh says where" in output


def test_a_corpus_of_ones_own_runs_on_from_one_tsv(pair, egs):
    """The unpacked clips, listed in a TSV beside them; what pt_en shares is taken."""
    corpus = egs.parent / "the corpora"
    spoken = egs.parent / "unpacked by hand"
    shutil.unpack_archive(corpus / "cvss_c_pt_en_v1.0.tar.gz", spoken)
    lines = ["id\tsrc_audio\tsrc_text\ttgt_audio\ttgt_text\tsplit"]
    for split in ("train", "dev", "test"):
        for line in (spoken / f"{split}.tsv").read_text().splitlines()[2:6]:
            clip, text = line.split("\t")
            source = f"cv-corpus-4-2019-12-10/pt/clips/{clip}"
            target = spoken / split / f"{clip}.wav"
            lines.append(f"{clip}\t{source}\tolá mundo\t{target}\t{text}\t{split}")
    (corpus / "my own.tsv").write_text("\n".join(lines) + "\n")
    options = ["--tsv", "the corpora/my own.tsv", "--src_lang", "pt", *ONE_CORE]
    for part in ("encoder", "kmeans", "vocoder"):
        options += [f"--{part}_dir", f"../cvss/x_en/exp/{part}"]
    options += ["--systems", "baseline", "--checkpoints", "last"]
    output = run(egs / "own", *options, cwd=egs.parent)
    assert "encoder: shared, ../cvss/x_en/exp/encoder" in output
    assert "# A corpus of one's own" in (egs / "own" / "exp" / "RESULTS.md").read_text()
    score = egs / "own" / "exp" / "baseline" / "greedy_last" / "test" / "score.json"
    num_test = sum(line.endswith("\ttest") for line in lines)
    assert json.loads(score.read_text())["num_utterances"] == num_test > 0
    lines[3] = lines[3].replace("train", "trian")
    (corpus / "my own.tsv").write_text("\n".join(lines) + "\n")
    output = run(egs / "own", *options, "--stop_stage", "1", cwd=egs.parent, status=1)
    assert "my own.tsv:4: split 'trian' is not train, dev or test" in output
