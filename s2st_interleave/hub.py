"""Models by their name on the Hugging Face hub, pinned to a revision: `owner/name@revision`.

A name alone stands for whatever the hub holds today, so results made with it cannot be
reproduced. A revision is a commit, whose files cannot change.
"""

import pickle
import re
import sys
from functools import lru_cache
from pathlib import Path
from typing import Any

from safetensors import SafetensorError

from s2st_interleave.errors import UserError
from s2st_interleave.files import parse_json

NAME = re.compile(r"[\w.-]+/[\w.-]+")  # owner/name
Files = list[str] | None  # patterns of names of files
TIMEOUT_SEC = 10.0  # after which a hub that does not answer is out of reach


def split_revision(source: Path | str) -> tuple[str, str | None]:
    """Folder or name, and the revision if the name has one.

    >>> split_revision("facebook/w2v-bert-2.0@da985ba")
    ('facebook/w2v-bert-2.0', 'da985ba')
    """
    if Path(source).exists():  # a folder may have an @ in its path
        return str(source), None
    name, _, revision = str(source).partition("@")
    return name, revision or None


def pretrained(source: Path | str) -> dict[str, str | None]:
    """Arguments of Hugging Face's `from_pretrained` for a folder or a hub's name."""
    name, revision = split_revision(source)
    # "main" is the library's default; for a folder it has no effect.
    return {"pretrained_model_name_or_path": name, "revision": revision or "main"}


def load(cls: Any, source: Path | str, **more: Any) -> Any:
    """`cls.from_pretrained` of a folder or a hub's name, with more arguments.

    Raises UserError naming `source` where it holds no model, or a model of another kind.
    """
    _check_folder(Path(source))
    kind = cls.__name__.removeprefix("Auto")
    place = source
    if not Path(source).exists() and not _in_reach(*split_revision(source)):
        place = _copy(*split_revision(source))  # the library would try for minutes
    try:
        # Code that a folder of weights brings along is not run, nor asked about.
        return cls.from_pretrained(**pretrained(place), trust_remote_code=False, **more)
    except (SafetensorError, RuntimeError, pickle.UnpicklingError) as error:
        signs = ("mismatched_sizes", "negative dimension", "PytorchStreamReader")
        told = any(sign in str(error) for sign in signs)
        if isinstance(error, RuntimeError) and not told:
            raise
        raise UserError(
            f"{source}: its weights are broken, or of another model than its config.json "
            f"({_first_line(error)}): fetch it again"
        ) from error
    except Exception as error:  # what values of a config.json lead the library to
        of_machine = isinstance(error, OSError) and error.errno  # as a full disk
        if of_machine or isinstance(error, MemoryError | ImportError):
            raise
        gated = "gated" in str(error)
        terms = ": accept its terms there, and set HF_TOKEN" if gated else ""
        line = _first_line(error)
        raise UserError(f"{source}: no {kind} here: {line}{terms}") from error


def out_of_reach() -> str:
    """What to say of a model of the hub that is not here either."""
    from huggingface_hub import constants

    hub = f"the hub ({constants.ENDPOINT}) is out of reach"
    if constants.HF_HUB_OFFLINE:
        hub = "HF_HUB_OFFLINE is set, so that the hub is not asked"
    return (
        f"no such folder, no copy in {constants.HF_HUB_CACHE}, and {hub}: name a folder "
        "that holds the model, or set HF_HOME to a cache that has it"
    )


def _copy(name: str, revision: str | None, files: Files = None) -> Path:
    """The folder of an earlier copy of a hub's model; UserError where there is none."""
    from huggingface_hub import snapshot_download

    try:
        return Path(
            snapshot_download(
                name, revision=revision, allow_patterns=files, local_files_only=True
            )
        )
    except OSError as error:
        raise UserError(f"{name}: {out_of_reach()}") from error


@lru_cache
def _in_reach(name: str, revision: str | None) -> bool:
    """Does the hub answer within seconds? Raises UserError where it has no such model."""
    from huggingface_hub import HfApi
    from huggingface_hub.errors import HTTPError, RepositoryNotFoundError

    problem = _no_name(name)
    if problem:
        raise UserError(f"{name}: {problem}")
    try:
        HfApi().model_info(name, revision=revision, timeout=TIMEOUT_SEC)
    except RepositoryNotFoundError:
        return True  # the library says so
    except (HTTPError, OSError):
        return False
    return True


def _no_name(name: str) -> str:
    """Why a name cannot be of the hub; "" where it can."""
    if NAME.fullmatch(name):
        return ""
    return "no such folder, and no name of the hub, such as owner/name or owner/name@revision"


def load_whole(cls: Any, source: Path | str, **more: Any) -> Any:
    """As `load`, and UserError where weights are missing, which would stay random."""
    model, info = load(cls, source, output_loading_info=True, **more)
    missing = sorted(map(str, info["missing_keys"]))
    if missing:
        raise UserError(
            f"{source}: {len(missing)} weights of {type(model).__name__} are missing, "
            f"first {missing[0]}: fetch it again"
        )
    return model


def unloaded(cls: Any, config: Any, source: Path | str) -> Any:
    """A model of random weights with `config`; errors name `source`, where it is from."""
    try:
        return cls.from_config(config)
    except ValueError as error:  # the configuration is of another kind of model
        kind = cls.__name__.removeprefix("Auto")
        raise UserError(f"{source}: no {kind} here: {_first_line(error)}") from error


def snapshot(
    source: Path | str, revision: str | None = None, files: Files = None
) -> Path:
    """The folder `source`, or a copy of all that the hub holds under that name.

    The copy lies in the library's cache; the one of before serves where the hub does not
    answer within seconds, which is said on standard error, and under HF_HUB_OFFLINE.
    `revision` stands for one behind an @ of the name, and `files` are patterns of those that
    are wanted. Raises UserError where there is neither a folder nor such a model.
    """
    name, pinned = split_revision(source)
    if Path(name).exists():
        if revision is not None:
            raise UserError(f"{source} is a folder, which has no revision '{revision}'")
        return Path(name)
    if pinned and revision not in (None, pinned):
        raise UserError(f"{source}: revision '{revision}' is another one: name one")
    if problem := _no_name(name):
        raise UserError(f"{source}: {problem}")
    return _fetched(name, pinned or revision, files)


def _fetched(name: str, revision: str | None, files: Files) -> Path:
    from huggingface_hub import HfApi, constants, snapshot_download
    from huggingface_hub.errors import (
        GatedRepoError,
        HTTPError,
        RepositoryNotFoundError,
        RevisionNotFoundError,
    )

    quiet_bars()
    hub = f"the hub ({constants.ENDPOINT})"
    try:
        HfApi().model_info(name, revision=revision, timeout=TIMEOUT_SEC)
        return Path(snapshot_download(name, revision=revision, allow_patterns=files))
    except GatedRepoError:
        problem = f"{hub} gives it to who has accepted its terms there: set HF_TOKEN"
    except RevisionNotFoundError:
        problem = f"{hub} has no revision '{revision}' of it"
    except RepositoryNotFoundError:
        problem = f"no such folder, and {hub} has no such model, or a private one: set HF_TOKEN"
    except (HTTPError, OSError):
        copy = _copy(name, revision, files)
        if not constants.HF_HUB_OFFLINE:
            line = f"{name}: {hub} is out of reach, the copy of before is used"
            print(line, file=sys.stderr, flush=True)
        return copy
    raise UserError(f"{name}: {problem}")


def quiet_bars() -> None:
    """No progress bars of the hub's library in a log."""
    from huggingface_hub.utils import disable_progress_bars

    if not sys.stderr.isatty():
        disable_progress_bars()


def _check_folder(folder: Path) -> None:
    """Raise UserError where `folder` is a folder without a model of Hugging Face.

    Raises FileNotFoundError where it is the path of a folder that is missing.
    """
    is_name = not folder.is_absolute() and not folder.parent.is_dir()
    if not folder.exists() and len(folder.parts) > 1 and not is_name:
        raise FileNotFoundError(
            f"{folder} is missing: neither a folder with a model, nor a name of the hub "
            "(owner/name)"
        )
    if not folder.is_dir():  # a configuration may be a file of its own
        return
    path = folder / "config.json"
    if not path.is_file():
        raise UserError(
            f"{folder}: no model of Hugging Face here, {path.name} is missing"
        )
    config = parse_json(path.read_bytes(), str(path))
    if not isinstance(config, dict) or "model_type" not in config:
        raise UserError(f"{path}: no model of Hugging Face, 'model_type' is missing")


def _first_line(error: Exception) -> str:
    """The first line of an error; transformers may add a list of all its models."""
    line = next(iter(str(error).strip().splitlines()), "").strip()
    return line or type(error).__name__
