"""Faults of an experiment in the working directory: each returns the path, and what is said."""

import json
import shutil
from pathlib import Path

import numpy as np

from s2st_interleave.data import audio
from s2st_interleave.units import store

UNITS, ANSWERS = Path("dump/units"), Path("exp/scheduled/greedy_last/test")
OTHER, BASELINE = (
    Path("exp/other/greedy_last/test"),
    Path("exp/baseline/greedy_last/test"),
)


def lines(path: Path) -> list[str]:
    return path.read_text("utf-8").splitlines(keepends=True)


def write(path: Path, texts: list[str]) -> None:
    path.write_text("".join(texts), "utf-8")


def edit(path: Path, *keys: str, value: object) -> None:
    """Set a value of a JSON file."""
    content = part = json.loads(path.read_text())
    for key in keys[:-1]:
        part = part[key]
    part[keys[-1]] = value
    path.write_text(json.dumps(content))


def flip(path: Path, place: int = -1) -> None:
    content = bytearray(path.read_bytes())
    content[place] ^= 1
    path.write_bytes(content)


def an_id_is_removed_from_text() -> tuple[str, str]:
    path = Path("data/text.src")
    write(path, lines(path)[1:])
    return str(path), "u0 is missing"


def an_id_occurs_twice() -> tuple[str, str]:
    path = Path("data/text.tgt")
    write(path, lines(path) + lines(path)[:1])
    return str(path), "u0 is in it twice"


def a_text_is_edited() -> tuple[str, str]:
    path = Path("data/text.tgt")
    write(path, [text.replace("red", "blue") for text in lines(path)])
    return str(path), "not what was written"


def a_recording_is_deleted() -> tuple[str, str]:
    path = next(Path("dump/audio/src").iterdir())
    path.unlink()
    return str(path), "it is gone"


def two_recordings_are_swapped() -> tuple[str, str]:
    one, two = sorted(Path("dump/audio/tgt").iterdir())[:2]
    one.rename("kept")
    two.rename(one)
    Path("kept").rename(two)
    return str(one), "utt2dur.tgt says"


def a_recording_is_cut() -> tuple[str, str]:
    path = sorted(Path("dump/audio/tgt").iterdir())[1]
    path.write_bytes(path.read_bytes()[:40])
    return str(path), "it cannot be read"


def a_recording_has_no_id() -> tuple[str, str]:
    path = Path("dump/audio/src/u9.flac")
    shutil.copy(next(path.parent.iterdir()), path)
    return str(path), "no table names this recording"


def a_speaker_loses_an_utterance() -> tuple[str, str]:
    path = Path("data/spk2utt")
    write(path, lines(path)[1:])
    return str(path), "is missing, which utt2spk have"


def the_corpus_changes_after() -> tuple[str, str]:
    write(
        Path("recordings/text.es"),
        ["u0 otra\n", *lines(Path("recordings/text.es"))[1:]],
    )
    return "data/stage.json", "recordings"


def a_drop_reason_is_edited() -> tuple[str, str]:
    path = Path("dump/align/dropped.tsv")
    write(path, ["u1\tsrc too short: 0.1 s\n"])
    return str(path), "it counts 1 'src too short', stage.json says nothing dropped"


def the_counts_do_not_add_up() -> tuple[str, str]:
    path = Path("dump/align/stage.json")
    edit(path, "counts", "in", value=5)
    return str(path), "counts do not add up: 5 in, 4 out, 0 dropped"


def words_lose_an_utterance() -> tuple[str, str]:
    path = Path("dump/align/words.tgt.jsonl")
    write(path, lines(path)[:-1])
    return str(path), "u3 is missing"


def sides_are_swapped() -> tuple[str, str]:
    one, two = UNITS / "units.src.scp", UNITS / "units.tgt.scp"
    content = one.read_bytes(), two.read_bytes()
    one.write_bytes(content[1])
    two.write_bytes(content[0])
    return str(one), "not what was written"


def an_archive_is_cut() -> tuple[str, str]:
    path = UNITS / "units.src.ark"
    path.write_bytes(path.read_bytes()[:-3])
    return str(path), "not what was written"


def a_part_of_the_work_is_cut() -> tuple[str, str]:
    path = UNITS / "shards/src/part1"
    path.write_bytes(path.read_bytes()[:-3])
    return str(path), "cut or changed"


def units_of_another_codebook() -> tuple[str, str]:
    units = {
        k: (19 - v).astype(np.int32)
        for k, v in store.read_units(UNITS / "units.tgt").items()
    }
    store.write_units(UNITS / "units.tgt", units)
    return str(UNITS / "units.tgt.ark"), "not what was written"


def a_folder_of_units_of_another_codebook() -> tuple[str, str]:
    edit(UNITS / "stage.json", "inputs", "kmeans", value="0" * 64)
    return str(
        UNITS / "stage.json"
    ), "input kmeans: exp/kmeans is another one than was read"


def the_codebook_is_made_anew() -> tuple[str, str]:
    edit(Path("exp/kmeans/stage.json"), "fingerprint", value="1" * 64)
    return str(
        UNITS / "stage.json"
    ), "input kmeans: exp/kmeans is another one than was read"


def the_vocoder_is_of_another_codebook() -> tuple[str, str]:
    edit(Path("exp/vocoder/stage.json"), "facts", "kmeans", value="2" * 64)
    return "exp/vocoder/stage.json", "units of another codebook than dump/units"


def the_speech_is_of_another_codebook() -> tuple[str, str]:
    edit(ANSWERS / "stage.json", "facts", "kmeans", value="2" * 64)
    speech = ANSWERS / "vocode" / "stage.json"
    return str(speech), "is of another codebook than exp/vocoder"


def the_words_are_of_other_recordings() -> tuple[str, str]:
    edit(Path("dump/align/stage.json"), "inputs", "data", value="of before")
    return "dump/interleave/stage.json", "are of different data"


def the_vocoder_learned_other_recordings() -> tuple[str, str]:
    edit(Path("exp/vocoder/stage.json"), "inputs", "data", value="of before")
    return "exp/vocoder/stage.json", "dump/units and its recordings are of different"


def an_array_of_the_dump_has_a_flipped_bit() -> tuple[str, str]:
    path = Path("dump/interleave/src.units.npy")
    flip(path, -4)
    return str(path), "not what was written"


def the_index_of_the_dump_is_cut() -> tuple[str, str]:
    path = Path("dump/interleave/ids.npy")
    path.write_bytes(path.read_bytes()[:-8])
    return str(path), "not what was written"


def a_dump_loses_an_id() -> tuple[str, str]:
    path = Path("dump/interleave/ids.txt")
    write(path, ["u9\n", *lines(path)[1:]])
    return str(path), "u9 is in it"


def a_checkpoint_is_altered() -> tuple[str, str]:
    path = Path("exp/scheduled/checkpoint-3/model.safetensors")
    flip(path)
    return str(path), "not what was written"


def a_file_of_a_checkpoint_is_gone() -> tuple[str, str]:
    path = Path("exp/scheduled/checkpoint-3/config.json")
    path.unlink()
    return str(path), "it is gone"


def the_curves_are_cut() -> tuple[str, str]:
    path = Path("exp/scheduled/metrics.jsonl")
    write(path, lines(path)[:-1])
    return str(path), "it ends with step 2, the training with 3"


def an_answer_is_removed() -> tuple[str, str]:
    path = ANSWERS / "text.tgt"
    write(path, lines(path)[:-1])
    return str(path), "u3 is missing"


def a_spoken_answer_is_deleted() -> tuple[str, str]:
    path = min((ANSWERS / "vocode/wav").iterdir())
    path.unlink()
    return str(path), "it is gone"


def a_spoken_answer_is_added() -> tuple[str, str]:
    path = ANSWERS / "vocode/wav/u9.wav"
    audio.write(path, np.zeros(100, np.float32))
    return str(path), "does not know it"


def a_score_is_edited() -> tuple[str, str]:
    edit(OTHER / "score.json", "num_missing", value=0.5)
    return str(OTHER / "score.json"), "not what was written"


def a_score_of_another_decode() -> tuple[str, str]:
    shutil.copy(BASELINE / "score.json", OTHER / "score.json")
    return str(OTHER / "score.json"), "its system is baseline, and other was scored"


def a_folder_of_scores_of_another_decode() -> tuple[str, str]:
    shutil.rmtree(OTHER / "score")
    shutil.copytree(BASELINE / "score", OTHER / "score")
    return str(OTHER / "score/stage.json"), f"it is the record of {BASELINE / 'score'}"


def a_comparison_whose_scores_are_gone() -> tuple[str, str]:
    shutil.rmtree(BASELINE / "score")
    return str(
        OTHER / "compare/stage.json"
    ), f"input baseline: {BASELINE / 'score'} is gone"


def the_text_llm_is_another_one() -> tuple[str, str]:
    edit(Path("exp/scheduled/stage.json"), "inputs", "llm", value="3" * 64)
    return "exp/scheduled/stage.json", "input llm: "


def a_write_left_a_file_over() -> tuple[str, str]:
    path = Path("dump/align/.words.src.jsonl.999999999.tmp")
    path.write_text("half")
    return str(path), "left over from a write"


def a_checkpoint_left_a_folder_over() -> tuple[str, str]:
    path = Path("exp/scheduled/.checkpoint-2.tmp")
    path.mkdir()
    (path / "model.safetensors").write_bytes(b"half")
    return str(path), "left over from a write"


def a_folder_has_lost_its_record() -> tuple[str, str]:
    Path("dump/align/stage.json").unlink()
    return "dump/align", "it holds words."


def a_stage_was_begun_again() -> tuple[str, str]:
    Path("dump/align/stage.json").rename("dump/align/stage.open.json")
    return "dump/align", "begun, and not finished"


def the_digests_of_a_record_are_edited() -> tuple[str, str]:
    path = Path("exp/kmeans/stage.json")
    edit(path, "digests", "centroids.safetensors", value="4" * 64)
    return str(path), "it was edited"


def a_file_is_added() -> tuple[str, str]:
    path = Path("dump/interleave/old.units.npy")
    path.write_bytes(b"old")
    return str(path), "does not know it"


FAULTS = [
    value
    for name, value in list(globals().items())
    if callable(value)
    and getattr(value, "__annotations__", {}).get("return") == tuple[str, str]
]
