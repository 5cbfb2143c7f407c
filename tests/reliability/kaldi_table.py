"""Bad tables of Kaldi, its directories, sides and durations, by reader."""

from pathlib import Path

from cases import Reader, Reads
from text_table import LATIN, UNSEEN

from s2st_interleave.data import kaldi, sides
from s2st_interleave.interop import import_data
from s2st_interleave.interop.kaldi_dir import KaldiDir


def faults_of_kaldi(folder: Path) -> dict[str, str]:
    dirs = {role: KaldiDir(folder, role, role) for role in ("es", "en")}
    told = {}
    for each in import_data.utterances(dirs, "train"):
        lost = "; ".join(speech.fault for speech in each.sides.values() if speech.fault)
        told[each.id] = each.fault or lost
    return told


KALDI = {
    "wav.scp.es": "u1 a.wav\nu2 b.wav\n",
    "text.es": "u1 hola\nu2 mundo\n",
    "wav.scp.en": "u1 c.wav\nu2 d.wav\n",
    "text.en": "u1 hello\nu2 world\n",
}
READERS = {
    "table": Reader(
        "text",
        kaldi.read_table,
        [
            ("empty", "", Reads({})),
            ("an id alone", "u1\n", Reads({"u1": ""})),
            ("an id twice", "u1 a\nu1 b\n", "text:2: utterance u1 occurs twice"),
            ("a line without an id", " hola\n", "text:1: line without an utterance id"),
            ("an empty line", "u1 a\n\nu2 b\n", "text:2: line without an utterance id"),
            (
                "Latin-1",
                b"u1 " + LATIN,
                "text:1: not UTF-8 (unexpected end of data, byte 6)",
            ),
            (
                "zeros after a power cut",
                b"u1 a\n" + bytes(512),
                "text:2: no text, it holds a NUL",
            ),
            (
                "another line end of Unicode",
                "u1 a\u2028b\x85c\n",
                Reads({"u1": "a\u2028b\x85c"}),
            ),
            ("no last line end", "u1 a\nu2 b", Reads({"u1": "a", "u2": "b"})),
            ("spaces in the value", "u1  a  b \n", Reads({"u1": " a  b "})),
        ],
    ),
    "Kaldi directory": Reader(
        "kaldi",
        lambda _: faults_of_kaldi(Path()),
        [
            ("whole", KALDI, Reads({"u1": "", "u2": ""})),
            (
                "no text",
                {"wav.scp.es": "u1 a\n"},
                "text is missing; a Kaldi data directory has",
            ),
            (
                "a pipe, also with spaces behind it",
                KALDI | {"wav.scp.es": "u1 touch ran |  \nu2 b.wav\n"},
                Reads(
                    {
                        "u1": "no audio: wav.scp.es: u1 is a pipe ('touch ran |'), which is "
                        "not run: write its audio to files first (Kaldi: wav-copy, ESPnet: "
                        "format_wav_scp.sh)",
                        "u2": "",
                    }
                ),
            ),
            (
                "a recording twice",
                KALDI | {"wav.scp.en": "u1 c\nu1 d\nu2 e\n"},
                Reads({"u1": "no audio: wav.scp.en:2: u1 occurs twice", "u2": ""}),
            ),
            (
                "an id of one side alone",
                KALDI | {"text.en": "u1 hello\n"},
                Reads({"u1": "", "u2": "not on both sides: text.en has no u2"}),
            ),
            (
                "times in words",
                KALDI | {"segments.es": "u1 u1 start end\nu2 u2 0 1\n"},
                Reads(
                    {
                        "u1": "no audio: segments.es: utterance u1: 'u1 start end' is no "
                        "'<recording> <start> <end>'",
                        "u2": "",
                    }
                ),
            ),
            (
                "a segment of no recording",
                KALDI | {"segments.es": "u1 r9 0 1\nu2 u2 0 1\n"},
                Reads(
                    {
                        "u1": "no audio: segments.es: utterance u1: recording r9 is not in "
                        "wav.scp.es",
                        "u2": "",
                    }
                ),
            ),
            (
                "an id that colours",
                {k: v.replace("u1", "\x1b[2J") for k, v in KALDI.items()},
                Reads({"\x1b[2J": rf"no id: text.es: '\x1b[2J' {UNSEEN}", "u2": ""}),
            ),
        ],
    ),
    "sides": Reader(
        "sides",
        lambda _: sides.read(Path()),
        [
            ("whole", "user en\nagent en\n", Reads({"user": "en", "agent": "en"})),
            ("one side", "src es\n", "sides: an utterance has two sides or more"),
            ("no language", "src\ntgt en\n", "sides:1: 'src' is no side"),
            (
                "a role that is a path",
                "../x es\ntgt en\n",
                "sides:1: '../x=es' is no side",
            ),
            ("a role twice", "src es\nsrc en\n", "sides: side 'src' occurs twice"),
            (
                "a language of nobody",
                "src qq\ntgt en\n",
                "sides:1: 'qq' is no language",
            ),
            (
                "a country without a language",
                "src gs\ntgt en\n",
                "sides:1: 'gs' is no language",
            ),
        ],
    ),
    "durations": Reader(
        "utt2dur.src",
        lambda _: kaldi.DataDir(Path()).durations("src"),
        [
            (
                f"seconds that are {value or 'nothing'}",
                {"sides": "src es\ntgt en\n", "utt2dur.src": f"u1 1.5\nu2 {value}\n"},
                f"utt2dur.src: utterance u2: duration '{value}'",
            )
            for value in ("nan", "inf", "-1", "0", "", "1,5", "1.5s")
        ],
    ),
}
