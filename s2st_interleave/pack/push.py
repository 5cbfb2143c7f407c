"""Upload a packed folder to the Hugging Face hub; `from_pretrained` reads it from there.

HF_TOKEN=... python -m s2st_interleave push --model exp/pack/scheduled --repo owner/name

The token is that of HF_TOKEN, or of `hf auth login`; HF_ENDPOINT names another hub.
"""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from s2st_interleave import __version__, hub
from s2st_interleave.config import REQUIRED, option
from s2st_interleave.errors import UserError
from s2st_interleave.pack import folder, notice

if TYPE_CHECKING:
    from huggingface_hub import HfApi

TOKEN = re.compile(rb"hf_[A-Za-z0-9]{30,}")
TEXTS = {".json", ".yaml", ".md", ".txt", ""}  # endings; LICENSE and NOTICE have none


@dataclass(frozen=True, kw_only=True)
class Options:
    model: Path = option(REQUIRED, "folder of stage 11")
    repo: str = option(REQUIRED, "owner/name; it is made where it is missing")
    private: bool = option(False, "make it so that only its owner sees it")
    revision: str = option("main", "branch to write; it is made where it is missing")


def run(options: Options) -> None:
    # 1. Is the folder as it was packed, and fit to be seen by others?
    folder.check_sums(options.model)
    description = folder.Description.read(options.model)
    if not hub.NAME.fullmatch(options.repo):
        raise UserError(f"--repo {options.repo}: wants owner/name")
    named = options.repo.partition("/")[2].lower().startswith("llama")
    if notice.is_llama(description) and not named and not options.private:
        raise UserError(
            f"--repo {options.repo}: a model made from {description.base_llm} that others "
            'can fetch has a name that starts with "Llama", by its license; --private true '
            "keeps it to yourself"
        )
    folder.check_card(options.model)
    names = [*folder.listed(options.model), folder.CARD]
    check_private(options.model, names)

    # 2. Upload the card and what SHA256SUMS lists; what an earlier version had more goes.
    from huggingface_hub import HfApi, constants, get_token
    from huggingface_hub.errors import HfHubHTTPError, HTTPError

    if not get_token():
        raise UserError("the hub wants a token: set HF_TOKEN, or run `hf auth login`")
    hub.quiet_bars()
    api = HfApi(library_name="s2st_interleave", library_version=__version__)
    try:
        commit = _upload(api, options, names)
    except HfHubHTTPError as error:
        status = error.response.status_code
        problem = error.server_message or str(error).partition("\n")[0]
        raise UserError(f"{options.repo}: the hub says {status}: {problem}") from None
    except (HTTPError, OSError) as error:
        raise UserError(
            f"the hub ({constants.ENDPOINT}) is out of reach: {error}; the same command "
            "goes on where it was"
        ) from None
    print(f"push: {len(set(names))} files are in {constants.ENDPOINT}/{options.repo}")
    print(f"push: s2st-translate --model {options.repo}@{commit} in.wav", flush=True)


def _upload(api: "HfApi", options: Options, names: list[str]) -> str:
    """Upload, and return the commit."""
    repo, revision = options.repo, options.revision
    api.create_repo(repo, private=options.private or None, exist_ok=True)
    if revision != "main":
        api.create_branch(repo, branch=revision, exist_ok=True)
    commit = api.upload_folder(
        repo_id=repo,
        folder_path=options.model,
        revision=revision,
        commit_message=f"Upload by s2st_interleave {__version__}",
        allow_patterns=[*names, folder.SUMS],
        delete_patterns="*",
    )
    return commit.oid


def check_private(model: Path, names: list[str]) -> None:
    """Raise UserError for a text that names a home or holds a token of the hub."""
    home = str(Path.home()).encode()
    for path in (model / name for name in names):
        if path.suffix not in TEXTS:
            continue
        content = path.read_bytes()
        if TOKEN.search(content):
            raise UserError(f"{path} holds a token of the hub: nothing was uploaded")
        if len(home) > 1 and re.search(re.escape(home) + rb"\b", content):
            raise UserError(
                f"{path} names {home.decode()}, a path of this machine: nothing was "
                "uploaded; take it out and pack again"
            )
