"""Options in blocks: named by their path on the line, nested in files and records."""

from dataclasses import dataclass, replace
from pathlib import Path

import pytest
import yaml
from parsing import parse, refused, written

from s2st_interleave import config, record
from s2st_interleave.blocks import leaves
from s2st_interleave.config import REQUIRED, option
from s2st_interleave.effects import Void
from s2st_interleave.errors import UserError
from s2st_interleave.stage_dir import open_stage


@dataclass(frozen=True, kw_only=True)
class Deep:
    depth: int = option(1, "a number", minimum=1)


@dataclass(frozen=True, kw_only=True)
class Light:
    unit_channels: int = option(256, "a width", minimum=1)
    dropout: float = option(0.0, "a share", minimum=0, below=1)
    widths: tuple[int, ...] = option((3, 5), "numbers", minimum=1)
    weights: Path | None = option(None, "a file")
    num_jobs: int = option(1, "jobs", runtime=True)
    deep: Deep = option(Deep(), "a block in a block")


@dataclass(frozen=True, kw_only=True)
class Heavy:
    unit_channels: int = option(512, "a width")


@dataclass(frozen=True, kw_only=True)
class Options:
    out_dir: Path = option(REQUIRED, "a folder")
    kind: str = option("light", "a choice")
    light: Light = option(Light(dropout=0.1), "with kind light")
    heavy: Heavy = option(Heavy(), "with kind heavy")

    def voids(self) -> list[Void]:
        return [Void("kind", k, [k]) for k in ("light", "heavy") if k != self.kind]


def test_files_and_the_line_set_the_same_option_and_the_line_wins(tmp_path):
    text = "light:\n  unit-channels: 8\n  widths: [1, 2]\n  deep: {depth: 3}\n"
    path = written(tmp_path, text)
    words = ["--out_dir", "o", "--config", path, "--light.unit_channels", "9"]
    light = parse(Options, *words).light
    assert (light.unit_channels, light.widths, light.deep.depth) == (9, (1, 2), 3)
    assert light.dropout == 0.1  # what the options say, not what the block says
    for spelling in ("--light.unit-channels", "--light.unit_channels"):
        assert parse(Options, "--out_dir", "o", spelling, "7").light.unit_channels == 7


def test_a_later_file_changes_one_option_of_a_block_and_leaves_the_others(tmp_path):
    first = written(tmp_path, "light: {unit_channels: 8, dropout: 0.5}\n", "a.yaml")
    second = written(tmp_path, "light:\n  dropout: 0.2\nheavy:\n", "b.yaml")
    words = ["--out_dir", "o", "--config", first, "--config", second]
    assert parse(Options, *words).light == Light(unit_channels=8, dropout=0.2)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("light: {unit_chanels: 8}", "did you mean 'light.unit_channels'?"),
        ("ligth: {unit_channels: 8}", "unknown option 'ligth'; did you mean 'light'?"),
        ("light: 8", "light: expected 'option: value' lines"),
        ("light: {dropout: 1}", "'light.dropout' is 1, wants: at least 0 and less"),
        ("light: {deep: {depth: x}}", "'light.deep.depth' is 'x', wants: an integer"),
        ("light: {widths: [2, 0]}", "'light.widths' is 0, wants: at least 1"),
        (
            "light: {dropout: 0.2}\nlight.dropout: 0.2",
            "'light.dropout' occurs twice",
        ),
        ("depth: 2", "'depth' is 'light.deep.depth'; write them below the block's"),
        (
            "dropout: 0.2\nunit_channels: 1",
            "'dropout' is 'light.dropout', 'unit_channels' is "
            "'light.unit_channels' or 'heavy.unit_channels'",
        ),
    ],
)
def test_a_mistake_in_a_file_names_the_whole_path(text, message, tmp_path, capsys):
    path = written(tmp_path, f"{text}\n")
    printed = refused(capsys, Options, "--out_dir", "o", "--config", path)
    assert message in printed and "conf.yaml: " in printed


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("--light.unit_chanels 8", "did you mean 'light.unit_channels'?"),
        ("--dropout 0.1", "unknown option '--dropout'; it is 'light.dropout'"),
        ("--light.dropout 1", "option 'light.dropout' is 1, wants: at least 0"),
        ("--light 3", "unknown option '--light'"),
        (
            "--heavy.unit_channels 8",
            "'heavy.unit_channels' has no effect with kind light: it is for kind heavy",
        ),
    ],
)
def test_a_mistake_on_the_line_names_the_whole_path(words, message, capsys):
    assert message in refused(capsys, Options, "--out_dir", "o", *words.split())


def test_help_lists_the_options_of_blocks_with_default_and_range(capsys):
    with pytest.raises(SystemExit):
        parse(Options, "--help")
    printed = " ".join(capsys.readouterr().out.split())
    assert "light: with kind light:" in printed
    assert "--light.unit_channels INTEGER a width (at" in printed
    assert (
        "--light.dropout NUMBER a share (at least 0 and less than 1, default 0.1)"
        in printed
    )


def test_the_record_of_a_run_is_nested_and_can_be_read_again(tmp_path):
    options = parse(Options, "--out_dir", "o", "--light.deep.depth", "4")
    recorded = config.record(options)
    assert recorded["light"]["deep"] == {"depth": 4}
    assert recorded[config.NO_EFFECT] == {"heavy": {"unit_channels": 512}}
    path = written(tmp_path, yaml.safe_dump(recorded))
    assert parse(Options, "--config", path) == options


def test_a_stage_records_blocks_without_what_is_of_the_run_or_a_path():
    options = Options(out_dir=Path("o"), light=Light(weights=Path("w"), num_jobs=4))
    recorded = record.of("x", options, {})
    assert recorded["options"]["light"].keys() == {
        "unit_channels", "dropout", "widths", "deep"
    }  # fmt: skip
    assert recorded["paths"] == {"light.weights": "w", "out_dir": "o"}
    other = replace(options, light=replace(options.light, num_jobs=5))
    assert record.of("x", other, {})["fingerprint"] == recorded["fingerprint"]


def test_a_difference_within_a_block_is_named_but_not_where_it_has_no_effect(tmp_path):
    options = Options(out_dir=tmp_path / "a")
    stage = open_stage(options.out_dir, stage="x", options=options, inputs={})
    assert stage is not None
    stage.finish(num_in=1, num_out=1)

    def reopen(changed: Options):
        return open_stage(options.out_dir, stage="x", options=changed, inputs={})

    assert reopen(replace(options, heavy=Heavy(unit_channels=3))) is None
    with pytest.raises(UserError, match=r"option light\.deep\.depth: was 1, is 2"):
        reopen(replace(options, light=replace(options.light, deep=Deep(depth=2))))


def test_a_new_option_of_a_block_makes_nothing_invalid(tmp_path):
    @dataclass(frozen=True, kw_only=True)
    class Grown(Light):
        bias: bool = option(True, "came later", new=True)

    @dataclass(frozen=True, kw_only=True)
    class Later(Options):
        light: Grown = option(Grown(dropout=0.1), "with kind light")

    old, now = Options(out_dir=tmp_path), Later(out_dir=tmp_path)
    done = record.of("x", old, {})
    recorded = record.of("x", now, {})
    assert not record.difference(done, recorded, now, {}, tmp_path)
    other = replace(now, light=replace(now.light, bias=False))
    (line,) = record.difference(done, record.of("x", other, {}), other, {}, tmp_path)
    assert line == "option light.bias: was True, is False"
    assert leaves(Later)["light.bias"].default is True
