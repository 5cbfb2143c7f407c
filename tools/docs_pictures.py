"""The pictures of the docs, of pages of a finished recipe; see docs_pictures.sh."""

import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import browser
import soundfile
from PIL import Image

from s2st_interleave.data import ark, kaldi

CHECKS = Path("build/pictures")
MOST_BYTES = 150_000
ADDRESS = "listening on "
# An example as most are, not the first one, which is the worst.
MEDIAN = (
    "[...document.querySelectorAll('[id^=example-]')]"
    ".find(e => e.textContent.includes('scheduled: median')).scrollIntoView()"
)
# So that a word is lit in the pictures.
SLOWLY = "for (const e of document.querySelectorAll('audio')) e.playbackRate = 0.07"


def save(page: browser.Page, path: Path, width: int, height: int) -> None:
    """A PNG of 256 colours, which suffice for pages."""
    page.resize(width, height)
    page.picture(path, height)
    with Image.open(path) as picture:
        whole = picture.convert("RGB")
    whole.quantize(256, dither=Image.Dither.NONE).save(path, optimize=True)
    if (
        path.stat().st_size > MOST_BYTES
    ):  # spectrograms: at the size in which it is shown
        half = whole.resize((width, height), Image.Resampling.LANCZOS)
        for num_colours in (256, 128, 64):
            half.quantize(num_colours, dither=Image.Dither.NONE).save(
                path, optimize=True
            )
            if path.stat().st_size <= MOST_BYTES:
                break
    if path.parent != CHECKS and path.stat().st_size > MOST_BYTES:
        sys.exit(f"{path}: {path.stat().st_size} bytes, more than {MOST_BYTES}")
    print(f"{path}: {path.stat().st_size} bytes")


def save_all(page: browser.Page, out: Path, name: str, height: int) -> None:
    """Light, for the docs; dark and narrow, to be looked at."""
    page.prefer("dark")
    save(page, CHECKS / f"{name}_dark.png", browser.WIDE[0], height)
    page.prefer("light")
    save(page, CHECKS / f"{name}_narrow.png", browser.NARROW[0], 1400)
    save(page, out / f"{name}.png", browser.WIDE[0], height)


@contextmanager
def serving(models: list[Path]) -> Iterator[str]:
    """The address of `serve`, which runs until the block ends."""
    words = [sys.executable, "-m", "s2st_interleave", "serve", "--port", "0"]
    words += [word for model in models for word in ("--model", str(model))]
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout
        try:
            line = next(each for each in server.stdout if each.startswith(ADDRESS))
            yield line.removeprefix(ADDRESS).strip()
        finally:
            server.terminate()


def first_sentence(recipe: Path, data: Path, folder: Path) -> Path:
    """The source recording of the first test utterance, as a file of its own."""
    table = kaldi.read_table(data / "test" / "wav.scp.src")
    held = ark.whole(recipe / next(iter(table.values())))
    samples, rate = soundfile.read(held.open() if isinstance(held, ark.Held) else held)
    soundfile.write(folder / "sentence.flac", samples, rate)
    return folder / "sentence.flac"


def main(exp: Path, out: Path) -> None:
    command = [sys.executable, "-m", "s2st_interleave", "show"]
    # Tables of a quick run name paths from the folder above.
    recipe = exp.parents[1] if exp.parent.name == "quick" else exp.parent
    training = (exp / "scheduled").relative_to(recipe)
    utterance = next(iter(kaldi.read_table(exp.parent / "data/train/text.src")))
    with tempfile.TemporaryDirectory() as place, browser.chromium() as driver:
        shown = Path(place) / "show.html"
        subprocess.run(
            [*command, utterance, "--train_dir", training, "--out", shown],
            cwd=recipe,
            check=True,
        )
        page = browser.Page(driver, shown)
        for _ in range(4):
            page.one("body").send_keys("\ue014")
        height = page.run("return document.querySelector('main').scrollHeight + 32")
        save_all(page, out, "show_page", height)

        page = browser.Page(driver, exp / "report.html")
        save_all(page, CHECKS, "report_top", 900)
        page.run(MEDIAN)
        save_all(page, out, "report", 760)

        models = sorted(each for each in (exp / "pack").iterdir() if each.is_dir())
        with serving(models) as url:
            page = browser.Page(driver, url)
            page.until(lambda: page.one("#record").is_enabled())
            spoken = first_sentence(recipe, exp.parent / "data", Path(place))
            page.one("#file").send_keys(str(spoken))
            page.until(lambda: page.all(".answer"))
            page.run(SLOWLY)
            page.play(".answer:last-child audio")
            page.until(lambda: page.all(".now"))
            height = page.run("return document.body.scrollHeight")
            save_all(page, out, "serve", height)


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:]))
