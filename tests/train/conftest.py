"""The corpus of the small trainings, and their commands."""

from collections.abc import Callable
from pathlib import Path

import pytest
from small_runs import EXTRACTOR, LOOP, RUNS, W2V_BERT, Finished, make_split

from s2st_interleave.files import write_json
from s2st_interleave.interleave import dump


@pytest.fixture(scope="module")
def corpus(tmp_path_factory, text_llm: Path, small_dump: dump.Dump) -> Path:
    """Data, units and dump of a few made utterances, as finished stages leave them."""
    root = tmp_path_factory.mktemp("ranks")
    write_json(root / "w2v_bert" / "config.json", W2V_BERT)
    write_json(root / "w2v_bert" / "preprocessor_config.json", EXTRACTOR)
    utterances = [small_dump[i] for i in range(len(small_dump))]
    for split, count in (("train", 10), ("dev", 5)):
        make_split(
            root, split, [utterance.sides["tgt"] for utterance in utterances[:count]]
        )
        directory = root / "dump" / split
        with Finished(directory, "dump"):
            dump.write(directory, utterances, small_dump.vocabulary)
    (root / "llm").symlink_to(text_llm)
    return root


@pytest.fixture(scope="module")
def command(corpus: Path) -> Callable[..., list[str]]:
    """Words of the command of one run."""
    inputs = {
        "train": {
            "llm": corpus / "llm",
            "train_dir": corpus / "dump" / "train",
            "dev_dir": corpus / "dump" / "dev",
        },
        "encoder": {
            "encoder": corpus / "w2v_bert",
            "train_dir": corpus / "data" / "train",
            "dev_dir": corpus / "data" / "dev",
            "languages": "en",
        },
        "vocoder": {
            "data_dir": corpus / "data" / "train",
            "dev_data_dir": corpus / "data" / "dev",
            "units_dir": corpus / "units" / "train",
            "dev_units_dir": corpus / "units" / "dev",
        },
    }

    def words(name: str, out: str, **more) -> list[str]:
        stage, options = RUNS[name]
        values = LOOP | options | inputs[stage] | more | {"out_dir": corpus / out}
        return [stage, *(str(w) for k, v in values.items() for w in (f"--{k}", v))]

    return words
