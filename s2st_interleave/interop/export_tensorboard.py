"""Curves of trainings, and some of what their systems say, for TensorBoard.

    python -m s2st_interleave export_tensorboard exp/baseline exp/scheduled [--num_audio 4]
    tensorboard --logdir exp

writes `<DIR>/tensorboard` from metrics.jsonl; a training with `--report_to tensorboard` has
its curves there already. Audio is that of stage 8, the same utterances for all systems.
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from s2st_interleave.data import audio, decoder, kaldi
from s2st_interleave.errors import UserError
from s2st_interleave.files import read_json_lines
from s2st_interleave.option_parser import plain_parser
from s2st_interleave.train.curves import FOLDER, TensorBoard


def main(words: Sequence[str]) -> int:
    parser = plain_parser("export_tensorboard", __doc__)
    parser.add_argument("directories", nargs="+", type=Path, metavar="DIR")
    parser.add_argument(
        "--num_audio", "--num-audio", type=int, default=4, help="utterances of a decode"
    )
    chosen = parser.parse_args(words)
    for directory in chosen.directories:
        num_lines, num_audio = export(directory, chosen.num_audio)
        print(
            f"{directory / FOLDER}: {num_lines} lines of metrics.jsonl, {num_audio} "
            "utterances to hear"
        )
    return 0


def export(directory: Path, num_audio: int) -> tuple[int, int]:
    """Write curves and audio; how many lines, and how many recordings there were."""
    lines = read_metrics(directory)
    board = TensorBoard(directory)
    for line in lines:
        board.add(line)
    last_sec = lines[-1]["sec"] if lines else 0.0
    count = 0
    for table in sorted(directory.glob("greedy_*/*/vocode/wav.scp")):
        decode = table.parent.parent
        step = int(lines[-1]["step"]) + 1 if lines else 0
        wavs = kaldi.read_places(table)
        for utterance in sorted(wavs)[:num_audio]:
            samples, rate = read_speech(wavs[utterance], table)
            name = f"{decode.relative_to(directory)}/{utterance}"
            board.writer.add_audio(
                name, samples[None], step, sample_rate=rate, walltime=last_sec
            )
            count += 1
    board.writer.close()
    return len(lines), count


def read_metrics(directory: Path) -> list[dict]:
    """The lines of metrics.jsonl; UserError for one without a step or its seconds."""
    path = directory / "metrics.jsonl"
    if not path.is_file():
        raise UserError(f"{path}: no such file; stage 6 (train) writes it")
    lines = read_json_lines(path)
    for number, line in enumerate(lines, 1):
        is_whole = type(line.get("step")) is int
        if not is_whole or type(line.get("sec")) not in (int, float):
            raise UserError(f"{path}:{number}: no whole `step`, or no seconds `sec`")
    return lines


def read_speech(path: Path, table: Path) -> tuple[np.ndarray, int]:
    """Mono samples (num_samples,) and their rate, as TensorBoard plays them.

    Raises UserError where the file is missing or cannot be read.
    """
    if not path.is_file():
        raise UserError(f"{path} is missing, which {table} lists: stage 8 makes it")
    try:
        samples, rate = decoder.decode(path, audio.LONGEST_SEC)
    except UserError as error:
        raise UserError(f"{path}: {error}: stage 8 makes it ({table})") from None
    return samples.mean(axis=1), rate
