"""A dialogue, whose two sides speak one language, goes the way of a pair of languages."""

from pathlib import Path

import numpy as np
import pytest
import soundfile
import tones

from s2st_interleave.align.words import read_words
from s2st_interleave.data import kaldi, sides
from s2st_interleave.data.channels import Channels
from s2st_interleave.files import read_json, read_json_lines
from s2st_interleave.interleave.dump import Dump
from s2st_interleave.stages import align, dump, kmeans, train, tsv_corpus, units
from s2st_interleave.units import store

LAYOUT = "user_speech -> user_text agent_text agent_speech"
CPU = {"device": "cpu", "num_threads": 1}


def options(root: Path, split: str, *columns: str) -> tsv_corpus.Options:
    """Six turns, each a recording of the user in one channel, the agent in the other."""
    rows = ["\t".join(("id", *columns, "split"))]
    for name in ("train", "dev", "test"):
        for key, clip in tones.clips(name, 6 if name == "train" else 2).items():
            answer = tones.say(clip.text, pitch=1.3)
            stereo = np.stack([clip.samples, answer], axis=1)
            soundfile.write(root / f"{key}.wav", stereo, 16_000)
            rows.append("\t".join((key, *[f"{key}.wav", clip.text] * 2, name)))
    (root / "talk.tsv").write_text("\n".join(rows) + "\n")
    return tsv_corpus.Options(
        tsv=root / "talk.tsv",
        sides=tuple(map(sides.Side, ("user=en", "agent=en"))),
        src_channels=Channels("left"),
        tgt_channels=Channels("right"),
        data_dir=root / "data" / split,
        audio_dir=root / "audio" / split,
        split=split,
    )


@pytest.fixture(scope="module")
def root(tmp_path_factory) -> Path:
    """Stages 1 to 5."""
    root = tmp_path_factory.mktemp("a dialogue")
    columns = ("user_audio", "user_text", "agent_audio", "agent_text")
    for split in ("train", "dev"):
        tsv_corpus.run(options(root, split, *columns))
    data, exp = root / "data", root / "exp"
    encoder = tones.train_encoder(
        exp / "encoder", data / "train", data / "dev", max_steps=1, batch_size=4
    )
    kmeans.run(
        kmeans.Options(
            data_dir=(data / "train",),
            encoder=encoder,
            out_dir=exp / "kmeans",
            layer=2,
            num_units=12,
            **CPU,
        )
    )
    for split in ("train", "dev"):
        made = {"data_dir": data / split, "encoder": encoder, **CPU}
        folder = root / "dump"
        align.run(
            align.Options(
                **made,
                out_dir=folder / "align" / split,
                min_score=None,
                min_median_score=None,
            )
        )
        units.run(
            units.Options(
                **made, kmeans=exp / "kmeans", out_dir=folder / "units" / split
            )
        )
        dump.run(
            dump.Options(
                align_dir=folder / "align" / split,
                units_dir=folder / "units" / split,
                out_dir=folder / "interleave" / split,
                layout=LAYOUT,
            )
        )
    return root


def test_each_side_has_files_of_its_own_and_both_are_heard(root):
    data = kaldi.DataDir(root / "data" / "train")
    assert data.sides == {"user": "en", "agent": "en"}
    assert data.texts("user") == data.texts("agent")
    assert data.wavs("user").keys() == data.wavs("agent").keys()
    assert not set(data.wavs("user").values()) & set(data.wavs("agent").values())
    heard = read_json(root / "exp" / "encoder" / "stage.json")
    assert heard["options"]["languages"] == ["en"] and heard["counts"]["in"] == 12
    words, spoken = (
        [read(root / "dump" / where.format(role)) for role in ("user", "agent")]
        for read, where in (
            (read_words, "align/train/words.{}.jsonl"),
            (store.read_units, "units/train/units.{}"),
        )
    )
    assert words[0].keys() == words[1].keys() == spoken[0].keys() == spoken[1].keys()


def test_the_dump_has_both_roles_and_a_model_learns_the_agents_answer(root, text_llm):
    dumps = root / "dump" / "interleave"
    made = Dump(dumps / "train")
    assert made.sides == ("user", "agent") and len(made) == 6
    facts = read_json(dumps / "train" / "stage.json")["facts"]
    assert facts["num_units_user"] > 0 and 0 <= facts["gap_share_agent"] < 1
    train.run(
        train.Options(
            llm=text_llm,
            train_dir=(dumps / "train",),
            dev_dir=(dumps / "dev",),
            out_dir=root / "exp" / "scheduled",
            layout=LAYOUT,
            max_steps=2,
            batch_size=4,
            **CPU,
        )
    )
    rows = read_json_lines(root / "exp" / "scheduled" / "metrics.jsonl")
    assert len(rows) == 2 and rows[-1]["dev_loss"] > 0


def test_a_tsv_of_other_columns_than_its_sides_is_explained(tmp_path):
    made = options(tmp_path, "train", "src_audio", "src_text", "tgt_audio", "tgt_text")
    with pytest.raises(
        ValueError, match=r"talk\.tsv:1: no column user_audio; the head"
    ):
        tsv_corpus.run(made)
