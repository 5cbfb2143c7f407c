"""Bad tables of text, by reader: own TSV, CVSS, Kaldi's tables and directories, sides."""

from pathlib import Path

from cases import Reader, Reads

from s2st_interleave.data import tsv_corpus
from s2st_interleave.data.corpus import Corpus

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
}
