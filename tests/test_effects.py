"""An option that has no effect is refused, unless what comes after it makes it so."""

import shlex
from pathlib import Path

import pytest
import yaml
from parsing import parse, refused, written

from s2st_interleave import config, yaml_text
from s2st_interleave.stages import encoder, score, train, vocoder

ROOT = Path(__file__).resolve().parents[1]
NEEDED = {
    vocoder.Options: "--data_dir d --dev_data_dir d --units_dir u --dev_units_dir u "
    "--out_dir o",
    train.Options: "--llm l --train_dir t --dev_dir d --out_dir o",
    score.Options: "--data_dir d --train_dir t --decode_dir d "
    "--vocode_dir v --out_dir o",
    encoder.Options: "--encoder e --train_dir t --dev_dir d --out_dir o --languages es",
}


@pytest.mark.parametrize(
    ("cls", "line", "message"),
    [
        (
            vocoder.Options,
            "--world.accum_grad 4",
            "'world.accum_grad' has no effect with backend hifigan: it is for backend w",
        ),
        (
            vocoder.Options,
            "--backend world --hifigan.lambda-mel 1",
            "for backend hifigan",
        ),
        (train.Options, "--lora_alpha 8", "it is for lora_rank of 1 or more"),
        (
            train.Options,
            "--layout 'src_speech -> tgt_speech' --best_by text",
            "it is for layout that learns speech and text",
        ),
        (
            train.Options,
            "--layout 'src_speech -> tgt_speech' --consistency 1",
            "it is for layout that learns text",
        ),
        (
            train.Options,
            "--layout 'src_speech -> tgt_text' --unit_weight 0.2",
            "it is for layout that learns speech",
        ),
        (
            train.Options,
            "--speech_only 1 --text_ratio_gate 0.2",
            "it is for speech_only below 1",
        ),
        (
            train.Options,
            "--sides tgt --consistency 1",
            "it is for sides both or one with speech before a text to learn",
        ),
        (
            train.Options,
            "--sides tgt --text_ratio_gate 0.2",
            "it is for sides both or one with a transcript",
        ),
        (
            train.Options,
            f"--tasks {ROOT}/egs/cvss/conf/tasks/s2tt.yaml --unit_heads 2",
            "s2tt.yaml: it is for tasks that learn speech",
        ),
        (
            train.Options,
            "--side_every 'src=5 tgt=5' --text_ratio_every 2",
            "with side_every src=5 tgt=5: it is for side_every of fewer sides",
        ),
        (
            train.Options,
            "--sides tgt --side_every tgt=5 --text_ratio_every 2",
            "it is for side_every of fewer sides",
        ),
        (train.Options, "--unit_heads_weight 1", "it is for unit_heads of 1 or more"),
        (
            train.Options,
            "--lora_rank 8 --logits_at_once 9",
            "with lora_rank 8: it is for lora_rank of 0",
        ),
        (
            train.Options,
            f"--tasks '{ROOT}/egs/cvss/conf/tasks/s2tt.yaml "
            f"{ROOT}/egs/cvss/conf/tasks/s2st.yaml' --probe_every 1",
            "it is for tasks of one",
        ),
        (
            train.Options,
            "--schedule constant --text_ratio_drop 0.3",
            "with schedule constant",
        ),
        (train.Options, "--text_ratio 0 --span_lambda 3", "with text_ratio 0.0"),
        (
            train.Options,
            "--sides none --fill mask",
            "it is for sides both or one of its sides",
        ),
        (train.Options, "--task_weights 1 --lr 1", "it is for tasks of one or more"),
        (score.Options, "--mos_weights x.pt", "it is for mos utmos"),
        (score.Options, "--mos dnsmos --mos_weights x.pt", "with mos dnsmos"),
    ],
)
def test_an_option_without_effect_is_refused(cls, line, message, capsys):
    assert message in refused(capsys, cls, *NEEDED[cls].split(), *shlex.split(line))


@pytest.mark.parametrize(
    ("cls", "line"),
    [
        (vocoder.Options, "--backend world --world.accum_grad 4"),
        (vocoder.Options, "--hifigan.lambda_mel 1 --hifigan.crop-units 9"),
        (train.Options, "--lora_rank 8 --lora_alpha 8"),
        (train.Options, "--batch_tokens 2000 --accum_grad 4"),  # at least four parts
        (train.Options, "--sides src --consistency 1 --text_ratio_gate 0.2"),
        (train.Options, "--text_ratio_every 5 --schedule linear"),
        (train.Options, "--text_ratio_every 5 --side_every tgt=9"),
        (train.Options, "--layout 'src_text -> tgt_text' --text_ratio_every 5"),
        (train.Options, "--text_ratio 0 --text_ratio_every 300"),  # as it is anyway
        (score.Options, "--mos utmos --mos_weights x.pt"),
        (vocoder.Options, "--nj 4"),  # how it is run: recipes say it to every stage
    ],
)
def test_an_option_with_an_effect_is_not(cls, line):
    parse(cls, *NEEDED[cls].split(), *shlex.split(line))


def test_a_file_of_a_system_may_make_void_what_systems_share(tmp_path, capsys):
    """And the command line may do so to any file; the other way round it is in vain."""
    shared = written(tmp_path, "text_ratio_every: 5\nlora_alpha: 8\nlora_rank: 2\n")
    system = written(tmp_path, "text_ratio: 0\n", "baseline.yaml")
    needed = NEEDED[train.Options].split()
    configs = ["--config", shared, "--config", system]
    assert parse(train.Options, *needed, *configs).text_ratio_every == 5
    assert parse(train.Options, *needed, *configs[:2], "--text_ratio", "0")
    assert parse(train.Options, "--lora_rank", "0", *needed, *configs)
    assert (
        parse(train.Options, *needed, "--span_lambda", "3", *configs).span_lambda == 3
    )
    for words in (
        [*configs, "--span_lambda", "3"],
        [*configs[2:], *configs[:2]],
        [*configs[:2], "--text_ratio", "0", "--span_lambda", "3"],
    ):
        assert "no effect with text_ratio" in refused(
            capsys, train.Options, *needed, *words
        )


def test_one_file_does_not_both_set_an_option_and_make_it_void(tmp_path, capsys):
    path = written(tmp_path, "backend: world\nhifigan: {lambda_mel: 3}\n")
    words = [*NEEDED[vocoder.Options].split(), "--config", path]
    assert "'hifigan.lambda_mel' has no effect" in refused(
        capsys, vocoder.Options, *words
    )


def test_falls_of_their_own_make_nothing_void_where_no_side_shows_text(tmp_path):
    """The command line has made both of a file's options void already."""
    words = "text_ratio_every: 5\nside_every: src=5 tgt=5\n"
    needed = [*NEEDED[train.Options].split(), "--config", written(tmp_path, words)]
    for line in ("--speech_only 1", "--text_ratio 0", "--sides none"):
        assert parse(train.Options, *needed, *line.split()).text_ratio_every == 5


def test_tasks_of_one_name_are_refused(tmp_path, capsys):
    """The LLM is asked by the name: it learned both, and could be asked for one."""
    paths = [tmp_path / folder / "task.yaml" for folder in "ab"]
    for path in paths:
        path.parent.mkdir()
        path.write_text("layout: src_speech -> src_text\n")
    for named in (paths, paths[:1] * 2):
        words = [*NEEDED[train.Options].split(), "--tasks", shlex.join(map(str, named))]
        said = refused(capsys, train.Options, *words)
        assert "the LLM is asked by the name 'task', which both have" in said


def test_the_record_of_a_run_can_be_read_again(tmp_path):
    """exp/<tag>/config.yaml tells what had no effect, and gives the same options."""
    conf = ROOT / "egs/cvss/conf"
    words = [*NEEDED[train.Options].split(), "--config", conf / "train.yaml"]
    options = parse(train.Options, *words, "--text_ratio", "0", "--num_threads", "2")
    path = written(tmp_path, yaml.safe_dump(config.record(options)))
    assert "text_ratio_drop" in yaml_text.read(path)[config.NO_EFFECT]
    assert parse(train.Options, "--config", path) == options


def test_every_option_that_may_be_void_exists():
    for cls in (vocoder.Options, train.Options, score.Options):
        options = parse(cls, *NEEDED[cls].split())
        for void in options.voids():
            assert {void.choice, *void.names} <= set(cls.__dataclass_fields__)
