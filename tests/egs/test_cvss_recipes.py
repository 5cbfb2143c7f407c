"""What egs/cvss says without being run: pairs, places to fill in, marks of origin."""

import subprocess
from pathlib import Path

import pytest

from s2st_interleave.data.corpus import SOURCES

CVSS = Path(__file__).resolve().parents[2] / "egs" / "cvss"
PAIRS = "fr de es ca it ru pt".split()


# What the launcher asks a cluster for is no parameter of the method.
CONFS = [p for p in sorted(CVSS.glob("conf/**/*.yaml")) if p.stem != "slurm"]


@pytest.mark.parametrize("path", CONFS, ids=lambda p: p.stem)
def test_each_value_is_marked_as_the_papers_or_ours(path):
    for line in path.read_text().splitlines():
        value, _, comment = line.partition("#")
        opens_block = value.rstrip().endswith(":")
        if value.strip() and value.strip() != "{}" and not opens_block:
            marks = ("paper", "ours", "[recipe]")
            assert any(mark in comment for mark in marks), line


def test_the_seven_pairs_name_themselves():
    assert {p.name for p in CVSS.glob("*_en")} == {f"{s}_en" for s in [*PAIRS, "x"]}
    for source in PAIRS:
        assert f"pair.sh {source} " in (CVSS / f"{source}_en" / "run.sh").read_text()


def db(*names: str) -> list[str]:
    show = "; ".join(f'printf "%s\\n" "${name}"' for name in names)
    command = ["bash", "-euc", f'cd -- "$1"; . ./db.sh; {show}', "bash", str(CVSS)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return done.stdout.split("\n")[:-1]


def test_db_asks_for_three_places_and_knows_all_languages():
    assert db("COMMON_VOICE", "COVOST", "CVSS") == ["", "", ""]
    assert db("SOURCES")[0].split() == SOURCES


@pytest.mark.parametrize("packed", [True, False])
def test_a_pair_takes_archives_or_folders(tmp_path, packed):
    """pair.sh in a copy whose db.sh names a folder with a space."""
    corpora = tmp_path / "the corpora"
    ending = ".tar.gz" if packed else ""
    for name in ("sv-SE", "covost_v2.sv-SE_en.tsv", "cvss_c_sv-SE_en_v1.0"):
        (corpora / f"{name}{ending}").mkdir(parents=True)
    (tmp_path / "local").mkdir()
    (tmp_path / "x_en").mkdir()
    (tmp_path / "local" / "pair.sh").write_text(
        (CVSS / "local" / "pair.sh").read_text()
    )
    places = "".join(f'{n}="{corpora}"\n' for n in ("COMMON_VOICE", "COVOST", "CVSS"))
    (tmp_path / "db.sh").write_text(places + "ENCODER=e\nLLM=l\nASR=a\n")
    script = '. ../local/pair.sh sv-SE; printf "%s\\n" "${recipe[@]}"'
    done = subprocess.run(
        ["bash", "-euc", script], cwd=tmp_path / "x_en", capture_output=True, text=True
    )
    words = done.stdout.splitlines()
    for option, name in (
        ("--common_voice", "sv-SE"),
        ("--covost", "covost_v2.sv-SE_en.tsv"),
        ("--cvss", "cvss_c_sv-SE_en_v1.0"),
    ):
        assert words[words.index(option) + 1] == f"{corpora / name}{ending}"
