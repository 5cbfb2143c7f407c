"""What the tests of pages look for is found where it is wrong."""

import pytest

browser = pytest.importorskip("browser", reason="selenium is not installed")

pytestmark = pytest.mark.slow
BAD = """<!DOCTYPE html><body style="background: #fff">
<p style="color: #999">faint</p> <p>good</p> <button></button> <button>good</button>
<svg width="99" height="50"><rect width="90" height="40" fill="#333"/>
<text x="5" y="20" fill="#000">on a shape</text></svg>
<div style="width: 2000px">wide</div> <script>fetch("missing.json")</script>"""


def test_a_bad_page_is_told(driver, tmp_path):
    path = tmp_path / "bad.html"
    path.write_text(BAD)
    page = browser.Page(driver, path)
    assert page.faint() == ["faint: 2.85", "on a shape: 1.66"]
    assert page.nameless() == ["button"]
    assert page.overflow() > 900
    assert page.until(page.complaints) and "missing.json" in page.requests()[0]
