"""How much speech there is, and the warning where it is little."""

import pytest

from s2st_interleave.data import amount, sides
from s2st_interleave.data.kaldi import DataDir, write_table


def data_dir(path, num: int, seconds: float) -> DataDir:
    path.mkdir()
    sides.write(path, {"src": "de", "tgt": "en"})
    for side in ("src", "tgt"):
        table = {f"u{k:04}": f"{seconds}" for k in range(num)}
        write_table(path / f"utt2dur.{side}", table)
    return DataDir(path)


@pytest.mark.parametrize(
    ("num", "seconds", "little"),
    [(199, 6.0, True), (200, 2.9, True), (200, 3.0, False), (2500, 4.0, False)],
)
def test_few_pairs_or_few_minutes_are_little(tmp_path, num, seconds, little):
    found = amount.Amount.of(data_dir(tmp_path / "train", num, seconds))
    assert (found.num_pairs, found.is_little) == (num, little)


def test_pairs_and_minutes_are_said_and_little_is_warned_of(tmp_path, capsys):
    data = data_dir(tmp_path / "train", 18, 5.0)
    assert amount.main([str(data.path)]) == 0
    first, warning = capsys.readouterr().out.splitlines()
    assert first == f"{data.path}: 18 pairs, 1.5 minutes of src, 1.5 minutes of tgt"
    assert warning.startswith("warning: that is less than 200 pairs or 10 minutes")
    data = data_dir(tmp_path / "more", 400, 3.0)
    amount.main([str(data.path)])
    assert len(capsys.readouterr().out.splitlines()) == 1
