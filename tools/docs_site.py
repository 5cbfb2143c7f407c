"""What mkdocs is told besides mkdocs.yml: tables of code, and links out of docs/.

mkdocs loads it as a hook. `mkdocs serve` shows the pages on this machine.
"""

import re
from pathlib import Path
from typing import Any

from docs_reference import TABLES  # mkdocs finds it beside this file

ROOT = Path(__file__).resolve().parents[1]
MARKER = re.compile(r"^<!-- ([a-z]+) -->$", re.M)
CODE, OPTION = re.compile("<code>[^<]+</code>"), re.compile(r"--\w[\w.-]*")
OUTSIDE = re.compile(r"\[([^\]]+)\]\(\.\./([^)#\s]+)(#[^)\s]*)?\)")


def on_page_markdown(text: str, *, page: Any, config: Any, **_: Any) -> str:
    """A page's text before it becomes HTML."""
    text = MARKER.sub(lambda match: TABLES[match[1]](), text)
    return OUTSIDE.sub(lambda link: _outside(link, page.file.src_uri, config), text)


def on_page_content(text: str, **_: Any) -> str:
    """A page's HTML, in which no line breaks within `--an_option`."""
    return CODE.sub(
        lambda code: OPTION.sub(r'<span class="option">\g<0></span>', code[0]), text
    )


def _outside(link: re.Match[str], page: str, config: Any) -> str:
    """A link to a file of the repository, which the site does not hold.

    It goes to `repo_url` where mkdocs.yml has one; else the file is named. Raises ValueError,
    which ends the build, where there is no such file.
    """
    words, path, place = link[1], link[2], link[3] or ""
    if not (ROOT / path).exists():
        raise ValueError(f"docs/{page}: a link to {path}, which is not there")
    if config.repo_url:
        return f"[{words}]({config.repo_url.rstrip('/')}/blob/main/{path}{place})"
    is_name = words.strip("`") in (path, Path(path).name)
    return f"`{path}`" if is_name else f"{words} (`{path}`)"
