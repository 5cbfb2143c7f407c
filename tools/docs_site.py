"""What mkdocs is told besides mkdocs.yml: tables of code, pages of results, links out of docs/.

mkdocs loads it as a hook. `mkdocs serve` shows the pages on this machine.
"""

import posixpath
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from docs_reference import TABLES  # mkdocs finds it beside this file
from mkdocs.structure.files import File, InclusionLevel

ROOT = Path(__file__).resolve().parents[1]
MARKER = re.compile(r"^<!-- ([a-z]+) -->$", re.M)
COMMENT = re.compile(r"\A<!--.*?-->\s*", re.S)
CODE, OPTION = re.compile("<code>[^<]+</code>"), re.compile(r"--\w[\w.-]*")
OUTSIDE = re.compile(r"\[([^\]]+)\]\(\.\./([^)#\s]+)(#[^)\s]*)?\)")
# Pages of results, which docs/ links to, and their figures are in the site where they lie in
# the repository, so that links between them hold.
RESULTS, SHOWN = re.compile(r"egs/\S+/RESULTS\.md"), re.compile(r"!\[[^\]]*\]\((\S+)\)")


def on_files(files: Any, config: Any, **_: Any) -> Any:
    """The site's files, with the pages of results that docs/ links to."""
    for path in sorted(_results(Path(config.docs_dir))):
        file = File(path, str(ROOT), config.site_dir, config.use_directory_urls)
        file.inclusion = InclusionLevel.NOT_IN_NAV
        files.append(file)
    return files


def _results(docs: Path) -> set[str]:
    """Paths of the pages of results that `docs` links to, and of these pages' figures."""
    texts = [page.read_text("utf-8") for page in docs.rglob("*.md")]
    linked = {path for text in texts for _, path, _ in OUTSIDE.findall(text)}
    named = (path for path in linked if RESULTS.fullmatch(path))
    pages = {path for path in named if (ROOT / path).is_file()}
    return pages.union(*map(_figures, pages))


def _figures(page: str) -> Iterator[str]:
    """Paths of the figures that a page of results shows."""
    for figure in SHOWN.findall((ROOT / page).read_text("utf-8")):
        yield posixpath.normpath(f"{Path(page).parent}/{figure}")


def on_page_markdown(text: str, *, page: Any, config: Any, files: Any, **_: Any) -> str:
    """A page's text before it becomes HTML."""
    text = MARKER.sub(lambda match: TABLES[match[1]](), text)
    if RESULTS.fullmatch(page.file.src_uri):
        # Its links are relative to its place. A comment before the title would hide it.
        return COMMENT.sub("", text)
    held = {file.src_uri for file in files}
    return OUTSIDE.sub(
        lambda link: (
            link[0].replace("](../", "](", 1)
            if link[2] in held
            else _outside(link, page.file.src_uri, config)
        ),
        text,
    )


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
