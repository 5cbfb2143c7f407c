"""Files that a parser once answered with a traceback, as fuzzing found them."""

import base64
import zlib


def _packed(text: str) -> bytes:
    return zlib.decompress(base64.b85decode(text))


# The target, and what its files hold.
FOUND: list[tuple[str, bytes]] = [
    ("sides", b"src gs\ntgt en\n"),
    ("training", b"llm: a\ntrain_dir: a\ndev_dir: a\nout_dir: a\nwithout_effect: x\n"),
    (
        "npy",
        _packed("c-oun7wQ`j$;eQ~P_3SlTAW;@Zl$1ZlWC%^qfo6t2LJ%~loUn"),
    ),
    ("pack", b"{}\n-- the next file --\n\x80"),
    ("TextGrid", b'{"st": 0, "end": 1, "tiers": {}}'),
    (
        "unit ark",
        _packed(
            "c-kv9RA6vo`TzfaJqsfP0|S??u0lyhszP3BMTtUMW=^Vtt}a)pp+cfwVo|o0F&6+(g$;l"
        ),
    ),
    ("Slurm", b"?\npaa_cpartition:"),
    (
        "answers",
        _packed(
            "c-pI0%1lwRQcx;2RMJsUDoL#<DF$+@l}ge}K*FgxIr&PpK$+6KOca@DLmdSp9R=gq+FGt^m>EVyn"
            "So-2De(Y@Z6K?_rbBE6ssI2s6*z_"
        ),
    ),
    (
        "answers",
        _packed(
            "c-pI0%1lwRQcx;2RMJsUDoL#<DF$+@l}ge}K*FgxIr&PpK$+6KOca@DL!D}%xN&T4Emt+n3?qmcB"
            "^6+mDB6I^0EY@6WB"
        ),
    ),
    (
        "audio flac",
        _packed("c-l+zNpxmlU{DeO5`X`LfcSr=5BnI{9QaK@Vi2(J1=9xx1`z;N&<%_"),
    ),
    (
        "npy",
        _packed(
            "c-oun7wQ`j$;gn)P_3SlTAW;@Zl$1ZlW3x@qoAIaUsO_*m=~X4l#&V(cT3DEPSsIxQZLR(EJy_kX"
            "c*`y7-{M#)GCk#fL1dw1TX*qt*RVT"
        ),
    ),
    (
        "tar",
        _packed(
            "c-pJbFDXjY%gie&E@MCkZ0rnF0R})|W?}-SfdHL0FfcSiutDO6K=lR;3I+^x0HwtxiA6x`sb=7>{"
            "}8}1BtW8GZh<jpNnR=!!zdU9I6#GdqF#Ao8AbWu7<c|RFhR}#2Iht)rnJoeRL}H79RL7+peiN"
        ),
    ),
]
