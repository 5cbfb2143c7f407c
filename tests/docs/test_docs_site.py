"""The pages are built without a warning, need no network, and all stand in the navigation."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import docs_reference
import pytest
import yaml

from s2st_interleave.blocks import leaves
from s2st_interleave.stage_list import COMMANDS, STAGES
from s2st_interleave.stages import train

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"
LOADED = re.compile(
    r'<(?:script|img|iframe)[^>]* src="([^"]+)"|<link[^>]* href="([^"]+)"'
)


def in_nav(entry: Any) -> Iterator[str]:
    """The pages of a part of the navigation."""
    if isinstance(entry, str):
        yield entry
    for inner in entry.values() if isinstance(entry, dict) else ():
        yield from in_nav(inner)
    for inner in entry if isinstance(entry, list) else ():
        yield from in_nav(inner)


def test_every_page_stands_in_the_navigation_once():
    settings = yaml.safe_load((ROOT / "mkdocs.yml").read_text("utf-8"))
    pages = sorted(str(path.relative_to(DOCS)) for path in DOCS.rglob("*.md"))
    assert sorted(in_nav(settings["nav"])) == pages, "add the page to nav in mkdocs.yml"


@pytest.fixture(scope="module")
def site(tmp_path_factory) -> Path:
    pytest.importorskip("mkdocs", reason="`tools/setup.sh --dev` installs mkdocs")
    pytest.importorskip("material", reason="`tools/setup.sh --dev` installs its theme")
    from mkdocs.commands.build import build
    from mkdocs.config import load_config

    folder = tmp_path_factory.mktemp("site")
    build(load_config(str(ROOT / "mkdocs.yml"), strict=True, site_dir=str(folder)))
    return folder


def test_the_site_is_built_without_a_warning_and_loads_nothing_from_elsewhere(site):
    pages = sorted(site.glob("*.html"))
    assert len(pages) > len(list(DOCS.glob("*.md"))) - 1
    for page in pages:
        for source, link in LOADED.findall(page.read_text("utf-8")):
            assert not (source or link).startswith(("http:", "https:", "//")), page.name


def test_tables_of_code_are_filled_in(site):
    text = (site / "configuration.html").read_text("utf-8")
    assert all(f'id="{command.name}"' in text for command in COMMANDS)
    assert all(f"<code>{name}</code>" in text for name in leaves(train.Options))
    assert '<code><span class="option">--stop_stage</span></code>' in text
    assert all(
        f"<td>{s.name}</td>" in (site / "stages.html").read_text() for s in STAGES
    )
    assert "sacrebleu's words of Japanese" in (site / "packages.html").read_text(
        "utf-8"
    )
    assert "cv-corpus-4-2019-12-10/&lt;src&gt;" in text  # no element of HTML
    assert "<td>Hokkien</td>" in (site / "languages.html").read_text("utf-8")


def test_a_link_out_of_the_pages_is_one_to_a_file(site):
    from mkdocs.config.defaults import MkDocsConfig

    hook = __import__("docs_site")
    link = hook.OUTSIDE.fullmatch("[the driver](../egs/cvss/s2st.sh)")
    config = MkDocsConfig()
    assert hook._outside(link, "a.md", config) == "the driver (`egs/cvss/s2st.sh`)"
    config.repo_url = "https://hub.example/us"
    assert "(https://hub.example/us/blob/main/egs/" in hook._outside(
        link, "a.md", config
    )
    with pytest.raises(ValueError, match="a link to no/such"):
        hook._outside(hook.OUTSIDE.fullmatch("[it](../no/such)"), "a.md", config)


def test_pages_of_results_are_in_the_site_with_their_figures(site):
    """Links to them were dead text, so that no score could be reached."""
    link = 'href="egs/mini_cvss/schedules/RESULTS.html"'
    assert link in (site / "schedules.html").read_text("utf-8")
    page = (site / "egs/mini_cvss/schedules/RESULTS.html").read_text("utf-8")
    assert "<title>Which schedule should I use?" in page
    assert 'href="../confirm/RESULTS.html"' in page
    pages = [*site.glob("*.html"), *site.glob("egs/**/*.html")]
    shown = {
        (page.parent / figure).resolve()
        for page in pages
        for figure in re.findall(r'src="([^"]+\.svg)"', page.read_text("utf-8"))
    }
    assert len(shown) > 10 and all(figure.is_file() for figure in shown)


def test_pages_of_the_docs_show_figures_of_results(site):
    for name, figure in (
        ("results", "paper/gains"),
        ("schedules", "schedules/schedules"),
    ):
        page = (site / f"{name}.html").read_text("utf-8")
        assert f'src="egs/mini_cvss/{figure}.svg"' in page


def test_the_last_column_of_a_wide_table_is_in_sight(site, driver):
    """A laptop's screen cut the column that says what the table is for."""
    import browser

    beyond = """const tables = [...document.querySelectorAll(".md-typeset__scrollwrap table")];
    const table = tables.find((each) => each.rows[0].cells.length === 10);
    const end = (element) => Math.round(element.getBoundingClientRect().right);
    return end(table) - Math.min(innerWidth, end(table.closest(".md-typeset__scrollwrap")));"""
    page = browser.Page(driver, site / "schedules.html")
    page.resize(1280, 800)
    page.until(lambda: page.all(".md-typeset__scrollwrap table"))
    assert page.run(beyond) <= 0
    page.resize(*browser.NARROW)
    assert (
        page.run(beyond) > 0 and page.overflow() <= 0
    )  # it scrolls, the page does not


def test_the_reference_has_default_range_and_meaning_of_an_option():
    text = docs_reference.options()
    assert "| `lr` | number, more than 0 |" in text
    assert "| `train_dir` | path, several | required | dump/interleave/train" in text
    assert "All options of [train](#train), and:" in text  # of plan, which has them too
    rows = list(docs_reference.driver_options())
    assert ("stage", "1", "first stage to run") in rows
    meanings = {name: meaning for name, _, meaning in rows}
    assert "help_message" not in meanings
    assert [n for n, m in meanings.items() if not m and not n.endswith("_args")] == []
