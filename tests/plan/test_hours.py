"""Hours by stage: counted kernels, the parts of a stage's seconds, and the command."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from s2st_interleave import config
from s2st_interleave.interleave.layout import S2ST
from s2st_interleave.plan import command, cuts, hours, networks
from s2st_interleave.plan.passes import Pass, count
from s2st_interleave.plan.rates import Device, Rates
from s2st_interleave.plan.work import PARTS, Work, bound, core, gpu, seconds

ROOT = Path(__file__).resolve().parents[2]
RATES = Rates()
# A device on which an operation, a byte and a kernel take a second each.
UNIT = Device("unit", products=1, memory=1, launch_sec=1, ahead=False, loaders=0)
NO_START = replace(RATES, start_sec=0)


def parts(
    work: Work, device: Device = UNIT, rates: Rates = NO_START
) -> dict[str, float]:
    return {name: sec for name, sec in seconds(work, device, rates).items() if sec}


def test_a_pass_has_the_kernels_that_torch_starts():
    a, b = torch.empty(2, 3, device="meta"), torch.empty(3, 5, device="meta")
    counted = count(lambda: torch.relu((a @ b).T))
    product, relu = (2.0 * 2 * 3 * 5, 4.0 * (6 + 15 + 10)), (0.0, 4.0 * (10 + 10))
    assert counted.kernels == {product: 1, relu: 1}  # a transposed view is no kernel
    assert (counted.flops, counted.launches) == (60, 2)


def test_the_encoder_of_the_paper_has_its_weights():
    source = Path("facebook/w2v-bert-2.0")  # asked of no hub
    model = networks.encoder(source, 100)
    weights = sum(p.numel() for p in model.parameters())
    assert weights == pytest.approx(580e6, rel=0.01)
    assert networks.frame_sec(source) == 0.02


def test_each_part_of_a_stage_has_its_seconds():
    one = Pass({(7.0, 3.0): 2, (0.0, 5.0): 1})
    assert parts(Work("x", passes=(one,))) == {
        "arithmetic": 14,
        "memory": 5,
        "launches": 3,
    }
    assert parts(Work("x", evaluations=(one,))) == {"evaluation": 22}
    rates = replace(NO_START, node_link=10, cluster_link=5, write_rate=2, start_sec=1)
    work = Work("x", gpus=2, num_sums=3, summed_bytes=100, saved_bytes=8, alone_sec=6)
    shown = parts(work, rates=rates)
    assert shown == {"gradients": 30, "saving": 4, "one process": 6, "starting": 1}
    assert parts(replace(work, gpus=16), rates=rates)["gradients"] == 3 * 1.875 * 20
    assert bound(shown) == "gradients 73%"


def test_what_is_done_ahead_of_a_gpu_counts_only_where_it_is_slower():
    ahead = replace(UNIT, ahead=True, loaders=4)
    one = Pass({(10.0, 0.0): 1})
    assert parts(Work("x", passes=(one,), loading_sec=40), ahead) == {"arithmetic": 10}
    work = Work("x", passes=(one,), loading_sec=60, imbalance=1.2)
    assert parts(work, ahead) == {
        "arithmetic": 10,
        "imbalance": pytest.approx(2),
        "loading": pytest.approx(3),
    }
    many = Pass({(1.0, 0.0): 3})
    slow = replace(ahead, launch_sec=5)
    assert parts(Work("x", passes=(many,)), slow) == {"arithmetic": 3, "launches": 12}


def test_a_budget_of_tokens_balances_what_round_robin_does_not():
    steps = cuts.drawn_lengths(400, RATES, 64)
    dealt = cuts.cut(steps, 8, accum_grad=8)
    budgeted = cuts.cut(steps, 8, accum_grad=1, budget=6000)
    assert dealt.imbalance > 1.5
    assert budgeted.imbalance < 1.1
    assert cuts.cut(steps, 1, accum_grad=16).num_micro == pytest.approx(16)


def test_rates_of_a_file_replace_those_of_the_table(tmp_path):
    path = tmp_path / "rates.json"
    path.write_text(json.dumps({"launch_sec": 1e-5, "loaders": 4}))
    given = RATES.with_file(path)
    assert given == replace(RATES, launch_sec=1e-5, loaders=4)
    assert gpu("H100", "bf16", given).loaders == 4 and core(given).loaders == 0
    path.write_text(json.dumps({"lunch_sec": 1}))
    with pytest.raises(ValueError, match=r"unknown key 'lunch_sec'.*launch_sec"):
        RATES.with_file(path)


def test_each_rate_says_where_it_comes_from():
    for name, value, unit, source in RATES.sources():
        assert value > 0 and unit, name
        assert source.startswith(
            ("measured: ", "published: ", "reckoned: ", "conf/")
        ), name


@pytest.fixture(scope="module")
def options(tmp_path_factory) -> command.Options:
    """A recipe of which nothing was run: mini sizes under a conf of all stages."""
    conf = tmp_path_factory.mktemp("a conf's")
    small = {
        "encoder": "num_pieces: 80\nmax_steps: 10\nbatch_size: 8",
        "kmeans": "layer: 4\nnum_units: 200",
        "vocoder": "backend: world\nmax_steps: 10",
        "score": "mos: dnsmos\nasr: tiny.en",
    }
    for name, text in small.items():
        (conf / f"{name}.yaml").write_text(text)
    llm = conf / "llm.json"
    llm.write_text(
        json.dumps(
            {
                "model_type": "llama",
                "vocab_size": 500,
                "hidden_size": 32,
                "intermediate_size": 64,
                "num_hidden_layers": 2,
                "num_attention_heads": 2,
                "num_key_value_heads": 2,
                "tie_word_embeddings": True,
            }
        )
    )
    words = ["--conf", str(conf), "--llm", str(llm)]
    words += ["--encoder", str(ROOT / "egs/mini_cvss/conf/w2v_bert")]
    words += ["--utterances", "1000", "--seconds", "3", "--max_steps", "40"]
    words += ["--text_ratio_drop", "0.9", "--text_ratio_every", "4", "--nodes", "2"]
    words += ["--gpus_per_node", "2", "--batch_size", "8", "--recipe", str(conf)]
    return config.parse(command.Options, words, prog="plan")


def test_stages_to_which_more_nodes_bring_nothing_are_named(options, tmp_path, capsys):
    """32 GPUs were slower than 8 in the table, and the reason stood in another page."""
    path = tmp_path / "slow network.json"
    path.write_text(json.dumps({"cluster_link": 1e3}))
    command.run(replace(options, rates=path))
    told = capsys.readouterr().out
    assert "\n4 GPUs take longer than 2 for 2 encoder: sums between" in told


def test_a_recipe_is_planned_before_anything_was_run(options, capsys):
    command.run(options)
    shown = capsys.readouterr().out
    for words in ("1000 utterances, 3.0 s", "as nothing is drawn", "hours on H100"):
        assert words in shown
    assert "ramp    text_ratio reaches 0 after 4 of 40 steps (10%)" in shown
    assert "1 GPU  2 GPUs  4 GPUs  GPU-hours" in shown
    assert "take longer" not in shown
    for stage in ("1 data", "2 encoder", "3+4", "4 kmeans", "5 dump", "6 train x 2"):
        assert f"\n{stage}" in shown
    for stage in ("7 decode x 4", "8 vocoder", "8 vocode x 5", "9 score x 6", "all"):
        assert f"\n{stage}" in shown


def test_a_task_is_billed_for_what_it_answers_with(options, capsys):
    """ASR had hours of a vocoder, of its speech and of Whisper, and decoded units."""
    times = {}
    for layout in (S2ST, "src_speech -> src_text"):
        command.run(replace(options, layout=layout, test_utterances=100_000))
        lines = capsys.readouterr().out.splitlines()
        (row,) = (line.split() for line in lines if line.startswith("7 decode"))
        later = [line for line in lines if line.startswith(("8 vo", "9 score"))]
        times[layout] = float(row[4])
        assert len(later) == (3 if layout == S2ST else 0)
    assert times["src_speech -> src_text"] < times[S2ST] / 2


def test_without_any_data_or_number_it_says_what_to_name(options):
    with pytest.raises(
        ValueError, match="name --dump_dir, --data_dir, or --utterances"
    ):
        command.run(replace(options, utterances=0))


def test_parts_are_those_that_are_named():
    assert tuple(seconds(Work("x"), UNIT, RATES)) == PARTS
    assert hours.Jobs(Work("x"), times=2).hours({"loading": 1800}) == 1


def test_an_encoder_takes_two_operations_a_weight_and_frame():
    source = ROOT / "egs/mini_cvss/conf/w2v_bert"
    weights = sum(p.numel() for p in networks.encoder(source, 80).parameters())
    counted = networks.encoder_pass(source, 80, 4, 3.0, training=False)
    assert counted.flops == pytest.approx(2 * weights * 4 * 75, rel=0.2)
    trained = networks.encoder_pass(source, 80, 4, 3.0, training=True)
    assert trained.flops == pytest.approx(3 * counted.flops, rel=0.2)


def test_stage_3_is_planned_by_the_files_that_its_script_reads():
    """The batches of conf/encoding.yaml were not planned: ten times too many hours."""
    conf = ROOT / "egs/cvss/conf"
    read = hours.read_options(conf, ROOT / "egs/mini_cvss/conf/w2v_bert")
    assert read["align"]["batch_sec"] == 600


def test_gpu_hours_are_those_of_the_trainings_and_not_of_idle_gpus(options, capsys):
    """Three systems on two GPUs counted as four trainings."""
    command.run(replace(options, num_systems=3, max_steps=200_000, nodes=1))
    rows = capsys.readouterr().out.splitlines()
    row = next(row for row in rows if row.startswith("6 train x 3")).split()
    on_one, _, gpu_hours = map(float, row[4:7])
    assert gpu_hours == pytest.approx(on_one, abs=0.06) and on_one > 1


def test_a_stage_is_planned_in_the_precision_that_it_has():
    """TF32 and fp32 were planned at the peak of bf16, twice and fifteen times as fast."""
    device = gpu("H100", "bf16", NO_START)
    one = Pass({(1e15, 0.0): 1})
    times = {
        dtype: sum(parts(Work("x", passes=(one,), dtype=dtype), device).values())
        for dtype in ("", "bf16", "tf32", "fp32", "auto")
    }
    assert times[""] == times["bf16"] == times["auto"]
    assert times["tf32"] == pytest.approx(times["bf16"] * 989 / 494)
    assert times["fp32"] == pytest.approx(times["bf16"] * 989 / 67)
    conf = ROOT / "egs/cvss/conf"
    read = hours.read_options(conf, ROOT / "egs/mini_cvss/conf/w2v_bert")
    assert read["align"]["dtype"] == read["kmeans"]["dtype"] == "tf32"


def test_what_the_process_that_feeds_a_gpu_does_itself_is_not_shared_out():
    """Aligning was planned on eight cores; one process does it."""
    ahead = replace(UNIT, ahead=True, loaders=8)
    one = Pass({(10.0, 0.0): 1})
    work = Work("x", passes=(one,), loading_sec=60, own_sec=25)
    assert parts(work, ahead) == {"arithmetic": 10, "loading": 15}
    assert parts(replace(work, loaders=2), ahead)["loading"] == 20
    assert parts(work)["loading"] == 85  # where a core does all of it


def rows_of(capsys, options: command.Options) -> dict[str, list[str]]:
    """The words of the first table's rows, by stage."""
    command.run(options)
    lines = capsys.readouterr().out.splitlines()
    found = next(line for line in lines if line.startswith("6 train"))
    return {"train": found.split(), "all": lines}


@pytest.mark.parametrize("node", [1, 8])
def test_a_node_is_as_large_as_it_is_said_to_be(options, capsys, monkeypatch, node):
    """Eight nodes of one GPU were planned by the links of one of eight, and as one GPU's."""
    sizes = set()

    def of_node(
        work: Work, device: Device, rates: Rates, gpus: int
    ) -> dict[str, float]:
        sizes.add(gpus)
        return seconds(work, device, rates, gpus)

    monkeypatch.setattr(hours, "seconds", of_node)
    asked = replace(options, num_systems=1, max_steps=100_000, eval_every=100_000)
    rows = rows_of(capsys, replace(asked, gpus_per_node=node, nodes=8 // node))
    assert sizes == {node}
    on_one, on_eight, gpu_hours = map(float, rows["train"][2:5])
    counted = on_one if node == 1 else 8 * on_eight  # as the line below the table says
    assert gpu_hours == pytest.approx(counted, abs=0.1)
    assert any(f"longest part: on {node}." in line for line in rows["all"])
    work = Work("x", gpus=8, num_sums=9, summed_bytes=1e9)
    total = [sum(seconds(work, UNIT, NO_START, size).values()) for size in (1, 8)]
    assert total[0] > 4 * total[1]


def test_gradient_checkpointing_takes_its_hours(options, capsys):
    """All layers are computed once more; the plan was that of a plain step."""
    plain = replace(options, num_systems=1, max_steps=100_000)
    again = replace(plain, gradient_checkpointing=True)
    hours_of = [float(rows_of(capsys, each)["train"][2]) for each in (plain, again)]
    assert (
        1.03 < hours_of[1] / hours_of[0] < 1.4
    )  # most are launches, as it is so small


def test_what_cannot_be_shared_out_or_is_empty_is_told(options, tmp_path):
    with pytest.raises(ValueError, match="16 ranks cannot share 8 utterances"):
        command.run(replace(options, ranks=16))
    (tmp_path / "sides").write_text("src es\ntgt en\n")
    for name in ("text", "wav.scp", "utt2dur"):
        for side in ("src", "tgt"):
            (tmp_path / f"{name}.{side}").touch()
    with pytest.raises(ValueError, match="has no utterance: run stage 1 first"):
        command.run(replace(options, data_dir=(tmp_path,)))
