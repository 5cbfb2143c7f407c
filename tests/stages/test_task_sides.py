"""The driver asks which side of a corpus a task has speak, and in which language."""

from pathlib import Path

import pytest

from s2st_interleave.interleave.layout import S2ST
from s2st_interleave.stages import task_sides


@pytest.mark.parametrize(
    ("layout", "named", "told"),
    [
        (S2ST, "src=es tgt=en", "tgt src es en"),
        ("src_speech -> src_text", "src=es tgt=en", "tgt src es en"),
        (
            "tgt_speech -> tgt_text src_text src_speech",
            "src=es tgt=en",
            "src tgt en es",
        ),
        ("b_speech -> b_text a_speech", "a=en b=de c=fr", "a b de fr en"),
    ],
)
def test_the_side_that_speaks_is_that_of_the_task(
    layout, named, told, tmp_path, capsys
):
    """The last side of the corpus was taken, and stages 8 and 9 found no speech of it."""
    task = tmp_path / "back.yaml"
    task.write_text(f"layout: {layout}\n")
    assert task_sides.main([str(task), *named.split()]) == 0
    assert capsys.readouterr().out == f"{told}\n"


def test_a_side_that_the_corpus_lacks_is_told(tmp_path, capsys):
    task: Path = tmp_path / "talk.yaml"
    task.write_text("layout: user_speech -> agent_speech\n")
    assert task_sides.main([str(task), "src=es", "tgt=en"]) == 1
    message = "has the sides user agent, the corpus has src tgt: name a task of these"
    assert message in capsys.readouterr().err
