"""Two scored systems of a tiny recipe, whose answers were heard before."""

from pathlib import Path

import pytest
from tiny_report import equal_words, made, scored, trained

from s2st_interleave.align.words import write_words
from s2st_interleave.data import kaldi
from s2st_interleave.stages import compare


@pytest.fixture(scope="session")
def recipe(tmp_path_factory) -> Path:
    """baseline and scheduled, compared, with trainings, word times and a resynthesis."""
    root = tmp_path_factory.mktemp("recipe of a report")
    folders = {}
    better = {
        "u1": "My brother eats bread and cheese.",
        "u4": "We bought green apples.",
    }
    for name, heard in (("baseline", {}), ("scheduled", better)):
        folders[name] = scored(root, name, heard=made.HEARD | heard)
        trained(root / "exp" / name, 0.9 if heard else 0.0)
    compare.run(
        compare.Options(
            data_dir=root / "data" / "test",
            system_dir=folders["scheduled"],
            baseline_dir=folders["baseline"],
        )
    )
    words = {u: equal_words(text.split()) for u, text in made.SOURCE.items()}

    def write(folder: Path) -> None:
        write_words(folder / "words.src.jsonl", words)
        write_words(folder / "words.tgt.jsonl", {})

    align = root / "dump" / "align" / "test"
    made.finished(align, "align", write, sides=made.SIDES, dropped={"u9": "bad: -9"})
    again = {u: str(root / "audio" / "tgt" / f"{u}.wav") for u in made.TARGET}
    kaldi.write_table(root / "exp" / "resynthesis" / "test" / "wav.scp", again)
    return root
