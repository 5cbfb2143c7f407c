"""The scripts of egs/mini_cvss as modules."""

import importlib
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

LOCAL = Path(__file__).resolve().parents[2] / "egs" / "mini_cvss" / "local"
MODULES = (
    "meaning",
    "space",
    "language",
    "realise",
    "synthesise",
    "layout",
    "corpus_options",
    "make_corpus",
)


@pytest.fixture(scope="module")
def mini():
    """The recipe's scripts as modules; they leave the import path afterwards."""
    sys.path.insert(0, str(LOCAL))
    yield SimpleNamespace(**{name: importlib.import_module(name) for name in MODULES})
    sys.path.remove(str(LOCAL))
    for path in LOCAL.glob("*.py"):
        sys.modules.pop(path.stem, None)
