"""Style and script of the page: light, dark, printed, on narrow screens."""

from collections.abc import Sequence

from s2st_interleave.show.style import SANS

# Nothing is loaded from anywhere, which browsers are asked to see to.
POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; "
    "media-src data:; img-src data:"
)

# Okabe and Ito's colours, which colour-blind people tell apart; the yellow is left out,
# for it cannot be seen on white. Dashes tell lines apart where there is no colour.
LIGHT = "#0072b2 #d55e00 #009e73 #cc79a7 #b87900 #56b4e9 #1b1f24".split()
_DARK = "#4aa8e0 #ff8a3d #2bc79a #e79bc4 #e6ac2e #9ad4f7 #e6edf3".split()
_DASHES = ("none", "7 3", "2 2.5", "9 3 2 3")

_LINES = "".join(f".c{k} {{ stroke: var(--c{k}); }}\n" for k in range(len(LIGHT)))
_LINES += "".join(
    f".d{k} {{ stroke-dasharray: {dash}; }}\n" for k, dash in enumerate(_DASHES)
)


def _named(colours: Sequence[str]) -> str:
    return " ".join(f"--c{k}: {colour};" for k, colour in enumerate(colours))


_PLAIN = """
* { box-sizing: border-box; }
html { scroll-padding-top: 52px; }
body { margin: 0 auto; max-width: 1100px; padding: 0 16px 40px; background: var(--paper);
  color: var(--ink); font: 15px/1.5 FONT; overflow-wrap: break-word; }
h1 { font-size: 24px; margin: 20px 0 4px; }
h2 { font-size: 20px; margin: 36px 0 8px; padding-top: 8px; border-top: 2px solid var(--line); }
h3 { font-size: 16px; margin: 20px 0 6px; }
h4 { font-size: 14px; margin: 0; }
a { color: var(--accent); }
p { margin: 0 0 10px; }
.dim, figcaption, .note { color: var(--dim); font-size: 13px; }
.warn { border-left: 4px solid var(--accent); padding: 4px 10px; background: var(--card); }
nav { position: sticky; top: 0; z-index: 2; background: var(--paper); padding: 8px 0;
  border-bottom: 1px solid var(--line); }
nav ul, .legend { display: flex; flex-wrap: wrap; gap: 2px 18px; list-style: none; margin: 0;
  padding: 0; }
:focus-visible { outline: 2px solid var(--accent); outline-offset: 2px; }
.skip { position: absolute; left: -999px; }
.skip:focus { left: 8px; top: 8px; background: var(--card); padding: 6px; z-index: 3; }
.scroll { overflow-x: auto; margin: 0 0 8px; }
table { border-collapse: collapse; font-size: 14px; font-variant-numeric: tabular-nums; }
th, td { text-align: left; padding: 4px 12px 4px 0; border-bottom: 1px solid var(--line);
  vertical-align: top; white-space: nowrap; }
thead th, .long { white-space: normal; }
.long { min-width: 14em; }
thead th { font-weight: 600; color: var(--dim); vertical-align: bottom; }
tbody th { font-weight: 600; }
code { font: 13px/1.4 ui-monospace, monospace; overflow-wrap: anywhere; }
figure { margin: 0; }
.charts { display: grid; gap: 14px 20px; margin: 10px 0;
  grid-template-columns: repeat(auto-fill, minmax(min(310px, 100%), 1fr)); }
.chart svg { width: 100%; height: auto; display: block; }
.chart text { font-size: 11px; fill: var(--dim); }
.end { text-anchor: end; } .middle { text-anchor: middle; }
.grid { stroke: var(--line); stroke-width: 1; }
.line { fill: none; stroke-width: 1.9; stroke-linejoin: round; }
.legend svg { vertical-align: middle; }
.example { background: var(--card); border: 1px solid var(--line); border-radius: 8px;
  padding: 12px 14px; margin: 16px 0 0; }
.example h3 { margin: 0; overflow-wrap: anywhere; }
.tracks { display: grid; gap: 14px 24px; margin-top: 14px;
  grid-template-columns: repeat(auto-fit, minmax(min(320px, 100%), 1fr)); }
.track { min-width: 0; break-inside: avoid; }
audio { width: 100%; height: 34px; margin: 4px 0; }
.seen { position: relative; overflow: hidden; }
.word:focus-visible { outline-offset: -2px; }
.seen img { display: block; width: 100%; height: 84px; }
.words { position: relative; height: 40px; font-size: 12px; }
.word { position: absolute; top: 0; min-width: max-content; height: 20px; padding: 0 2px;
  white-space: nowrap; border: 0; background: none; color: inherit;
  font: inherit; text-align: left; cursor: pointer; }
.word:nth-child(even) { top: 20px; }
.border { position: absolute; top: 0; width: 1px; height: 84px; background: var(--mark); }
.now { position: absolute; top: 0; width: 2px; height: 124px; background: var(--accent);
  display: none; }
.doubt { font-style: italic; text-decoration: underline dotted; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: 2px 12px; margin: 6px 0 0; }
dt { color: var(--dim); font-size: 13px; } dd { margin: 0; min-width: 0; justify-self: start; }
del { text-decoration: line-through; color: var(--gone); }
ins { text-decoration: underline; text-decoration-thickness: 2px; color: var(--new);
  font-weight: 600; }
.sub { border: 1px dotted var(--dim); border-radius: 3px; padding: 0 3px; }
@media (max-width: 520px) { body { padding: 0 10px 30px; } h1 { font-size: 20px; }
  .example { padding: 10px; } dl { grid-template-columns: 1fr; gap: 0; }
  dd { margin-bottom: 6px; } nav { position: static; } }
@media print { :root { --paper: #fff; }
  @page { margin: 14mm; } body { padding: 0; max-width: none; font-size: 11pt; }
  nav, audio, .skip, .hint { display: none; } h2, h3, h4 { break-after: avoid; }
  thead { display: table-header-group; } tr, .chart { break-inside: avoid; }
  .scroll { overflow: visible; }
  .seen { min-width: 0 !important; } table { font-size: 8.5pt; width: 100%; }
  th, td { padding-right: 6px; } .long { min-width: 0; }
  .charts { grid-template-columns: repeat(3, 1fr); }
  .tracks { grid-template-columns: 1fr 1fr; }
  * { print-color-adjust: exact; -webkit-print-color-adjust: exact; } }
"""

_LIGHT_NAMES = (
    "--paper: #f6f8fa; --card: #ffffff; --ink: #1b1f24; --dim: #57606a; --accent: #0969da; "
    "--line: #d5dae1; --gone: #a8322d; --new: #0b5cad; --mark: #d55e00; "
)
_DARK_NAMES = (
    "--paper: #010409; --card: #0d1117; --ink: #e6edf3; --dim: #9aa4b0; --accent: #58a6ff; "
    "--line: #30363d; --gone: #ff8f86; --new: #79b8ff; --mark: #ff8a3d; "
)

LOOK = (
    f":root {{ color-scheme: light dark; {_LIGHT_NAMES}{_named(LIGHT)} }}\n"
    "@media screen and (prefers-color-scheme: dark) {\n"
    f":root {{ {_DARK_NAMES}{_named(_DARK)} }}\n"
    # Spectrograms are dark on white: in the dark they are light on black.
    ".seen img { filter: invert(0.93); } }\n" + _PLAIN.replace("FONT", SANS) + _LINES
)

# A line runs over the spectrogram of what plays; a word plays from its start to its end.
SCRIPT = """
for (const track of document.querySelectorAll(".track")) {
  const audio = track.querySelector("audio");
  const now = track.querySelector(".now");
  if (!audio || !now) continue;
  let until = Infinity; // its own: another track that stops does not let this one go on
  const follow = () => {
    now.style.display = "block";
    now.style.left = `${100 * audio.currentTime / now.dataset.seconds}%`;
    if (audio.currentTime >= until) audio.pause();
    if (!audio.paused) requestAnimationFrame(follow);
  };
  audio.addEventListener("play", () => {
    for (const other of document.querySelectorAll("audio")) {
      if (other !== audio) other.pause();
    }
    follow();
  });
  audio.addEventListener("pause", () => { if (audio.paused) until = Infinity; });
  audio.addEventListener("seeked", follow);
  for (const word of track.querySelectorAll(".word")) {
    word.addEventListener("click", () => {
      audio.currentTime = +word.dataset.start;
      until = +word.dataset.end;
      audio.play();
    });
  }
}
"""
