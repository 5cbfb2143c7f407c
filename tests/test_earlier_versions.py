"""What an earlier version has finished is up to date, by today's names of its options."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from s2st_interleave.config import option
from s2st_interleave.errors import UserError
from s2st_interleave.files import read_json, write_json
from s2st_interleave.interleave.layout import DIRECT, S2ST
from s2st_interleave.stage_dir import open_stage
from s2st_interleave.stages import train


@dataclass(frozen=True, kw_only=True)
class Options:
    layer: int = option(20, "which layer")
    channels: str = option("mix", "which channels", new=True)
    min_score: float | None = option(-4.0, "below which something is dropped")


def finished(folder: Path, options: Any, **record: Any) -> Path:
    """A finished stage whose stage.json says other options than `options`."""
    stage = open_stage(folder, stage="align", options=options, inputs={})
    assert stage is not None
    stage.finish(num_in=1, num_out=1)
    done = read_json(folder / "stage.json")
    write_json(folder / "stage.json", dict(done) | {"options": record})
    return folder


def reopen(folder: Path, options: Any) -> Any:
    return open_stage(folder, stage="align", options=options, inputs={})


def test_an_option_that_there_was_not_yet_makes_nothing_invalid(tmp_path):
    folder = finished(tmp_path / "a", Options(), layer=20, min_score=-4.0)
    assert reopen(folder, Options()) is None
    with pytest.raises(UserError, match="option channels: was mix, is left"):
        reopen(folder, Options(channels="left"))


def test_an_option_whose_default_does_what_was_not_done_before_is_a_difference(
    tmp_path,
):
    folder = finished(tmp_path / "a", Options(), layer=20)
    with pytest.raises(UserError, match=r"option min_score: was None, is -4\.0"):
        reopen(folder, Options())
    assert reopen(folder, Options(min_score=None)) is None


@pytest.mark.parametrize(("cot", "layout"), [(True, S2ST), (False, DIRECT)])
def test_a_training_with_or_without_its_texts_is_the_task_of_that_layout(
    tmp_path, cot, layout
):
    options = train.Options(
        llm=Path("l"), train_dir=(Path("t"),), dev_dir=(Path("d"),), out_dir=tmp_path
    )
    options = replace(options, layout=layout)
    folder = finished(tmp_path / "exp", options)
    done = dict(read_json(folder / "stage.json"))
    record = open_stage(tmp_path / "b", stage="align", options=options, inputs={})
    old = dict(record.record["options"])
    for name in ("layout", "task_weights"):
        old.pop(name)
    write_json(folder / "stage.json", done | {"options": old | {"cot": cot}})
    assert reopen(folder, options) is None
    other = replace(options, layout=DIRECT if cot else S2ST)
    with pytest.raises(UserError, match="option layout: was src_speech"):
        reopen(folder, other)
