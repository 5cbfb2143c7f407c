"""A page of HTML in one file: a picture for each stop of a slider over the schedule."""

import base64
from collections.abc import Mapping, Sequence
from html import escape

from s2st_interleave.show.drawing import NARROW, WIDE, element
from s2st_interleave.show.glyphs import legal
from s2st_interleave.show.picture import ROLES, Picture
from s2st_interleave.show.style import SANS, STYLE

# Nothing is loaded from anywhere, which browsers are asked to see to.
POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; "
    "media-src data:"
)

LOOK = """
:root { color-scheme: light dark; --paper: #f6f8fa; --ink: #1b1f24; --dim: #57606a;
  --accent: #0969da; --line: #d5dae1; }
@media (prefers-color-scheme: dark) { :root { --paper: #010409; --ink: #e6edf3;
  --dim: #9aa4b0; --accent: #58a6ff; --line: #30363d; } }
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 1100px; padding: 16px; background: var(--paper);
  color: var(--ink); font: 15px/1.45 FONT; }
h1 { font-size: 20px; margin: 0 0 4px; }
p { margin: 0 0 12px; color: var(--dim); }
.s2st { display: block; width: 100%; height: auto; }
.narrow { display: none; max-width: 560px; margin: 0 auto; }
.control { display: flex; flex-wrap: wrap; gap: 4px 14px; align-items: center;
  position: sticky; top: 0; z-index: 1; background: var(--paper); padding: 8px 0; }
.control label { font-weight: 600; }
.control input { flex: 1 1 220px; accent-color: var(--accent); height: 28px; }
.control output { font-variant-numeric: tabular-nums; min-width: 11em; }
:focus-visible { outline: 2px solid var(--accent); outline-offset: 2px; }
.sounds { display: flex; flex-wrap: wrap; gap: 8px 20px; margin: 0 0 12px; }
figure { margin: 0; flex: 1 1 260px; }
figcaption { font-size: 13px; color: var(--dim); }
audio { width: 100%; height: 36px; }
.now rect, .now .word, .now .text { stroke: var(--accent); stroke-width: 2.5; }
[hidden] { display: none !important; }
@media (max-width: 740px) { .wide { display: none; } .narrow { display: block; }
  body { padding: 10px; } }
@media print { :root { --paper: #fff; --ink: #1b1f24; --dim: #57606a; }
  body { padding: 0; max-width: none; } .control, .sounds, .hint { display: none; }
  .wide { display: block; } .narrow { display: none; }
  * { print-color-adjust: exact; -webkit-print-color-adjust: exact; } }
"""

# The arrow keys move the slider wherever the focus is, but in an element that has a use
# for them. While a recording plays, the word that is heard is framed.
SCRIPT = """
const slider = document.getElementById("slider");
const output = document.getElementById("where");
const shown = [...document.querySelectorAll("section")];
function show() {
  shown.forEach((section, index) => { section.hidden = index !== +slider.value; });
  const now = shown[+slider.value].dataset;
  output.textContent = `${now.p}, step ${now.step}`;
  slider.setAttribute("aria-valuetext", output.textContent);
}
slider.addEventListener("input", show);
document.addEventListener("keydown", (event) => {
  const steps = { ArrowLeft: -1, ArrowRight: 1 };
  const busy = ["INPUT", "AUDIO"].includes(event.target.tagName);
  if (busy || event.ctrlKey || event.altKey || event.metaKey) return;
  if (!(event.key in steps)) return;
  slider.value = +slider.value + steps[event.key];
  show();
  event.preventDefault();
});
function frame(audio) {
  const parts = [...document.querySelectorAll(".part")];
  for (const part of parts.filter((p) => p.dataset.side === audio.dataset.side)) {
    const { start, end } = part.dataset;
    const heard = !audio.paused && start <= audio.currentTime && audio.currentTime < end;
    part.classList.toggle("now", heard);
  }
  if (!audio.paused) requestAnimationFrame(() => frame(audio));
}
for (const audio of document.querySelectorAll("audio")) {
  audio.addEventListener("play", () => frame(audio));
  audio.addEventListener("pause", () => frame(audio));
}
document.querySelector(".control").hidden = shown.length < 2;
show();
"""


def head(policy: str, title: str, style: str) -> list[str]:
    """The lines of a page before its body; `title` is HTML, `policy` what it may load."""
    return [
        "<!DOCTYPE html>",
        '<html lang="en">',
        "<head>",
        '<meta charset="utf-8">',
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">',
        '<meta name="viewport" content="width=device-width, initial-scale=1">',
        f"<title>{title}</title>",
        f"<style>{style}</style>",
        "</head>",
    ]


# What all pages in HTML begin with, whatever they may load.
BEGINS = "\n".join(head("", "", "")[:5]).removesuffix('">')


def page(
    pictures: Sequence[Picture], first: int, sounds: Mapping[str, bytes] | None = None
) -> str:
    """The page of `pictures`, one a stop, of which the `first`-th is shown at the start.

    `sounds` are WAV files by side. Without JavaScript the page shows that picture alone.
    """
    at_start = pictures[first]
    name = escape(legal(at_start.id))
    sections = [
        _section(each, is_shown=number == first) for number, each in enumerate(pictures)
    ]
    lines = [
        *head(POLICY, f"{name} · interleaved", LOOK.replace("FONT", SANS) + STYLE),
        "<body>",
        "<main>",
        "<h1>An utterance as the LLM reads it</h1>",
        '<p class="hint">Move the slider, or press ← →, from much text to none.</p>',
        *_sounds(at_start, sounds or {}),
        '<div class="control" hidden><label for="slider">Text ratio</label>'
        f'<input id="slider" type="range" min="0" max="{len(pictures) - 1}" step="1" '
        f'value="{first}" autocomplete="off">'
        '<output id="where" for="slider"></output></div>',
        *sections,
        "</main>",
        f"<script>{SCRIPT}</script>",
        "</body>",
        "</html>",
    ]
    return "\n".join(lines) + "\n"


def _section(picture: Picture, *, is_shown: bool) -> str:
    facts = f'data-step="{picture.step}" data-p="{escape(picture.p)}"'
    widths = (("wide", WIDE), ("narrow", NARROW))
    drawn = "".join(
        f'<div class="{name}">{element(picture, width, is_alone=False)}</div>'
        for name, width in widths
    )
    return f"<section {facts}{'' if is_shown else ' hidden'}>{drawn}</section>"


def _sounds(picture: Picture, sounds: Mapping[str, bytes]) -> list[str]:
    if not sounds:
        return []
    titles = {track.side: track.title for track in picture.tracks}
    players = []
    for side, wav in sounds.items():
        title = escape(titles.get(side, ROLES.get(side, side)))
        data = base64.b64encode(wav).decode()
        players.append(
            f"<figure><figcaption>{title}</figcaption><audio controls "
            f'data-side="{escape(side)}" aria-label="{title}" '
            f'src="data:audio/wav;base64,{data}"></audio></figure>'
        )
    return ['<div class="sounds">', *players, "</div>"]
