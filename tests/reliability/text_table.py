"""Bad tables of text, by reader: own TSV, CVSS, Kaldi's tables and directories, sides."""

from pathlib import Path

from cases import Reader, Reads

from s2st_interleave.data import kaldi, sides, tsv_corpus
from s2st_interleave.data.corpus import Corpus
from s2st_interleave.interop import import_data
from s2st_interleave.interop.kaldi_dir import KaldiDir

HEAD = "id\tsrc_audio\tsrc_text\ttgt_audio\ttgt_text\tsplit\n"
REST = "d\ta\tb\tc\td\tdev\nt\ta\tb\tc\td\ttest\n"


def own(*lines: str, head: str = HEAD) -> str:
    """A TSV of these lines, and one each of dev and test."""
    return head + "".join(f"{line}\n" for line in lines) + REST


def row(name: str, text: str = "hola", split: str = "train") -> str:
    return f"{name}\ta.wav\t{text}\tb.wav\thello\t{split}"


def own_texts(path: Path) -> dict[str, str]:
    """The source texts of train by id."""
    utterances = tsv_corpus.read_utterances(path, ("src", "tgt"))["train"]
    return {each.id: each.sides["src"].text for each in utterances}


def faults_of_cvss(folder: Path) -> dict[str, str]:
    parts = Corpus(folder / "cv", folder / "covost.tsv", folder / "cvss")
    return {each.id: each.fault.partition(":")[0] for each in parts.pairs("train")}


CVSS = {
    "cvss/train.tsv": "a.mp3\thello\nb.mp3\tyou\nc.mp3\tme\n",
    "cv/validated.tsv": "client_id\tpath\tsentence\n"
    + "".join(f"s\t{clip}.mp3\thola\n" for clip in "abc"),
    "covost.tsv": "path\ttranslation\tsplit\n"
    + "".join(f"{clip}.mp3\thello\ttrain\n" for clip in "abc"),
}


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
LATIN, NO_ID = "caf\xe9".encode("latin-1"), "is no id: 1 to 200 bytes without space"
UNSEEN = "is no id: it holds characters that cannot be seen"

READERS = {
    "own TSV": Reader(
        "my.tsv",
        own_texts,
        [
            ("empty", "", "my.tsv:1: no column id; the header is id src_audio"),
            ("a header alone", HEAD, "my.tsv: no utterance of split train; set column"),
            ("a web page in its place", "<html>404</html>\n", "my.tsv:1: no column id"),
            (
                "commas in place of tabs",
                HEAD.replace("\t", ","),
                "my.tsv:1: no column id",
            ),
            ("a column too few", own("u1\ta.wav\thola"), "my.tsv:2: 3 columns, not 6"),
            ("a column too many", own(row("u1") + "\tx"), "my.tsv:2: 7 columns, not 6"),
            ("a column twice", HEAD.replace("split", "id"), "column 'id' occurs twice"),
            (
                "a column misspelt",
                HEAD.replace("split", "splt"),
                "'splt'; did you mean 's",
            ),
            (
                "an id twice",
                own(row("u1"), row("u1")),
                "my.tsv:3: id u1 is that of line 2",
            ),
            ("an id of nothing", own(row("")), f"my.tsv:2: '' {NO_ID}"),
            ("an id that climbs", own(row("../../etc/x")), f"'../../etc/x' {NO_ID}"),
            ("an id with a folder", own(row("a/b")), f"my.tsv:2: 'a/b' {NO_ID}"),
            ("an id with a space", own(row("a b")), f"my.tsv:2: 'a b' {NO_ID}"),
            ("an id that hides", own(row(".ssh")), f"my.tsv:2: '.ssh' {NO_ID}"),
            (
                "an id that colours",
                own(row("\x1b[31mu")),
                rf"my.tsv:2: '\x1b[31mu' {UNSEEN}",
            ),
            (
                "an id read backwards",
                own(row("\u202eu")),
                rf"my.tsv:2: '\u202eu' {UNSEEN}",
            ),
            ("an id too long", own(row("u" * 201)), NO_ID),
            (
                "an id of a shell",
                own(row("$(x);'`&<b>")),
                Reads({"$(x);'`&<b>": "hola"}),
            ),
            (
                "a split misspelt",
                own(row("u1", split="tran")),
                "my.tsv:2: split 'tran' is not",
            ),
            ("Latin-1", own(row("u1")).encode() + LATIN, "my.tsv:5: not UTF-8"),
            (
                "UTF-16",
                own(row("u1")).encode("utf-16"),
                "my.tsv:1: not UTF-8 (it begins as",
            ),
            (
                "UTF-16 without a mark",
                own(row("u1")).encode("utf-16-le"),
                "it holds a NUL byte",
            ),
            (
                "a NUL",
                own(row("u1", "ho\0la")),
                "my.tsv:2: no text, it holds a NUL byte",
            ),
            (
                "half a surrogate",
                own(row("u1")).encode() + b"\xed\xa0\x80",
                "my.tsv:5: not UT",
            ),
            ("a quote left open", own(row("u1", '"hola')), Reads({"u1": '"hola'})),
            (
                "a field of a megabyte",
                own(row("u1", "a" * 2**20)),
                "my.tsv:2: field larger",
            ),
            (
                "marks of an editor, and lines that end as in Windows",
                b"\xef\xbb\xbf" + own(row("u1")).replace("\n", "\r\n").encode(),
                Reads({"u1": "hola"}),
            ),
            (
                "ids in no order",
                own(row("b"), row("a")),
                Reads({"a": "hola", "b": "hola"}),
            ),
            ("empty lines", own("", row("u1"), ""), Reads({"u1": "hola"})),
        ],
    ),
    "CVSS": Reader(
        "cvss",
        lambda _: faults_of_cvss(Path()),
        [
            ("whole", CVSS, Reads({"a": "", "b": "", "c": ""})),
            (
                "a table that is missing",
                {"cvss/train.tsv": "a\tb\n"},
                "validated.tsv is missi",
            ),
            (
                "a column that is missing",
                CVSS | {"covost.tsv": "path\tsplit_\n"},
                "covost.tsv:1: no column 'split' in the header",
            ),
            (
                "of a later Common Voice",
                CVSS | {"cv/validated.tsv": "client_id\tpath\tsentence\tlocale\n"},
                "validated.tsv is of a later Common Voice (column 'locale')",
            ),
            (
                "of another version",
                CVSS | {"covost.tsv": "path\tsplit\nz.mp3\ttrain\n"},
                "3 of 3 clips of cvss/train.tsv are not in covost.tsv, first a.mp3",
            ),
            (
                "a line with a column too many",
                CVSS | {"cvss/train.tsv": "a.mp3\thello\tx\nb.mp3\tyou\n"},
                Reads({"a": "wrong number of columns", "b": ""}),
            ),
            (
                "a clip that climbs",
                CVSS | {"cvss/train.tsv": "../a.mp3\tx\nb.mp3\tx\nc.mp3\tx\n"},
                Reads({"../a": "no id", "b": "", "c": ""}),
            ),
            (
                "a clip that stands there twice and differs",
                CVSS | {"cvss/train.tsv": "a.mp3\tx\na.mp3\ty\nb.mp3\tx\n"},
                Reads({"a": "clip occurs twice", "b": ""}),
            ),
            (
                "no lines",
                CVSS | {"cvss/train.tsv": ""},
                "train.tsv: no utterance of split",
            ),
        ],
    ),
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
                        "u1": "no audio: wav.scp.es: u1 is a pipe ('touch ran |'), which is not "
                        "run: write its audio to files first (Kaldi: wav-copy, ESPnet: "
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
