"""A Kaldi directory of two sides is imported, damaged, and what was dropped is read."""

from pathlib import Path

from s2st_interleave.__main__ import main


def dropped(directory: Path) -> dict[str, str]:
    lines = (directory / "dropped.tsv").read_text().splitlines()
    return dict(line.split("\t") for line in lines)


def import_split(root: Path, split: str, *more: str) -> int:
    out = root.parent
    words = f"import_data --src_dir {root}/es --tgt_dir {root}/en --src_lang es"
    words += f" --split {split} --data_dir {out}/data/{split}"
    return main([*words.split(), "--audio_dir", f"{out}/audio/{split}", *more])


def change(path: Path, old: str, new: str) -> None:
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")
