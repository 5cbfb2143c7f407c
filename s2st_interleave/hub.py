"""Models by the hub's name, pinned to a revision: `owner/name@revision`.

A name alone is whatever the hub holds today, and a result made with it cannot be made
again. A revision is a commit, whose files cannot change.
"""

from pathlib import Path


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
    # "main" is the library's own default, and a folder has no other.
    return {"pretrained_model_name_or_path": name, "revision": revision or "main"}
