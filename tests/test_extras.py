"""What the package imports is installed by an extra that a message names."""

import ast
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from s2st_interleave import errors, extras
from s2st_interleave.extras import BY_USERS, EXTRAS, NO_DEPS, REQUIRED, name_of

ROOT = Path(__file__).parents[1]
# Of recipes alone: the voices of the mini corpus.
RECIPES = {"espeakng-loader"}
FOR_TYPES = {"_typeshed"}
CURVES = {
    "tensorboard",
    "wandb",
}  # recipes do without, whoever wants them installs them


def imported() -> dict[str, str]:
    """Modules of others, and a file of ours that imports each."""
    modules = {}
    for path in sorted((ROOT / "s2st_interleave").rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names = []
            if isinstance(node, ast.Import):
                names = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                names = [node.module]
            modules |= {name.partition(".")[0]: str(path) for name in names}
    ours = {"s2st_interleave", *sys.stdlib_module_names, *FOR_TYPES}
    return {name: path for name, path in modules.items() if name not in ours}


def wanted() -> set[str]:
    """Distributions that the package requires, or that an extra brings."""
    listed = [*REQUIRED, *(name for names in EXTRAS.values() for name in names)]
    return {name_of(line) for line in [*listed, *NO_DEPS.values()]}


def pinned(file: str) -> dict[str, str]:
    lines = (ROOT / "tools" / file).read_text(encoding="utf-8").splitlines()
    pins = [line.partition("  #")[0] for line in lines if line and line[0] != "#"]
    return {pin.partition("==")[0].lower(): pin for pin in pins}


def test_nothing_is_imported_that_no_extra_names():
    known = wanted() | set(BY_USERS)
    strangers = {
        name: path
        for name, path in imported().items()
        if extras.distribution(name) not in known
    }
    assert strangers == {}


def test_what_setup_sh_pins_is_what_the_extras_name():
    nodeps = pinned("requirements-nodeps.txt")
    assert set(nodeps.values()) == set(NO_DEPS.values())
    needed = wanted() - CURVES | RECIPES
    assert pinned("requirements.txt").keys() | nodeps.keys() == needed


def test_all_is_all_of_them():
    assert set(EXTRAS["all"]) == {
        name for extra, names in EXTRAS.items() if extra != "all" for name in names
    }


@pytest.mark.parametrize(
    ("module", "command"),
    [
        ("pyworld", "`pip install 's2st_interleave[vocoder]'`"),
        ("pkg_resources", "`pip install 's2st_interleave[vocoder]'`"),
        (
            "espnet2.gan_tts.hifigan",
            "`pip install 's2st_interleave[hifigan]'`, then `pip install --no-deps "
            "espnet==202511`",
        ),
        ("humanfriendly", "[hifigan]'`, then `pip install --no-deps espnet==202511`"),
        ("whisper.normalizers", "[asr]'`, then `pip install --no-deps openai-whisper"),
        ("faster_whisper", "s2st_interleave[asr]"),
        ("MeCab", "s2st_interleave[cjk]"),
        ("praatio", "s2st_interleave[interop]"),
        ("matplotlib.pyplot", "s2st_interleave[report]"),
        ("speechmos", "s2st_interleave[mos]"),
        ("vllm", "`pip install vllm`"),
        ("comet", "`pip install unbabel-comet`"),
        ("kaldiio", "`pip install s2st_interleave` again"),
    ],
)
def test_a_missing_package_is_a_line_that_says_what_to_type(module, command, capsys):
    def work() -> None:
        raise ModuleNotFoundError(f"No module named '{module}'", name=module)

    assert errors.guarded("vocode", work) == 1
    line = capsys.readouterr().err
    assert line.startswith(f"error: vocode: No module named '{module}': ")
    assert (line.count("\n") == 1 and line.endswith(f"{command}\n")) or command in line


def test_a_package_that_lacks_a_name_of_its_own_is_named(capsys):
    """As of a version that is too old: `from peft import no_such_name`."""

    def work() -> None:
        from peft import no_such_name  # noqa: F401

    assert errors.guarded("train", work) == 1
    assert "s2st_interleave[lora]" in capsys.readouterr().err


def test_a_clone_is_not_taken_for_the_package_that_it_holds(tmp_path):
    """Python beside a clone called s2st_interleave imported the clone's folder, without names.

    A finder of `pip install -e` comes after the path, and a folder on the path does not.
    """
    clone = tmp_path / "s2st_interleave"
    clone.mkdir()
    for name in (
        "setup.py",
        "pyproject.toml",
        "README.md",
        "LICENSE",
        "THIRD_PARTY.md",
    ):
        shutil.copy(ROOT / name, clone)
    shutil.copytree(
        ROOT / "s2st_interleave",
        clone / "s2st_interleave",
        ignore=shutil.ignore_patterns("__pycache__"),
    )
    build = "from setuptools.build_meta import build_editable as b; b('wheel')"
    subprocess.run(
        [sys.executable, "-c", build], cwd=clone, check=True, capture_output=True
    )
    (wheel,) = (clone / "wheel").glob("*.whl")
    names = zipfile.ZipFile(wheel).namelist()
    assert [n for n in names if n.endswith(".pth")] and not [
        n for n in names if "finder" in n
    ]
