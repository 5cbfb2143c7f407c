"""No call of the package runs what a file says: pickles, shells, code beside weights."""

import ast
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
# Calls that run what they are given, or write where they are told to.
FORBIDDEN = {
    *("eval", "exec", "compile", "__import__", "input"),
    *("os.system", "os.popen", "pickle.load", "pickle.loads", "pickle.Unpickler"),
    *("marshal.loads", "shelve.open", "joblib.load", "dill.load", "pd.read_pickle"),
    *("yaml.load_all", "yaml.unsafe_load", "yaml.full_load", "yaml.UnsafeLoader"),
    *("shutil.unpack_archive", "torch.hub.load", "runpy.run_path"),
    *("kaldiio.load_mat", "kaldiio.load_scp", "kaldiio.load_ark", "kaldiio.ReadHelper"),
}
METHODS = {"extractall", "extract", "read_pickle"}
# File and call, and why it may stand there.
ALLOWED = {
    (
        "s2st_interleave/yaml_text.py",
        "yaml.load",
    ): "its two loaders know texts and numbers",
}


def calls() -> Iterator[tuple[str, int, str, dict[str, object]]]:
    """File, line, name and constant keywords of every call of the package and its scripts."""
    for top in ("s2st_interleave", "tools", "egs"):
        for path in sorted((ROOT / top).rglob("*.py")):
            for node in ast.walk(ast.parse(path.read_text("utf-8"))):
                if isinstance(node, ast.Call):
                    keywords = {
                        each.arg: each.value.value
                        for each in node.keywords
                        if each.arg and isinstance(each.value, ast.Constant)
                    }
                    where = path.relative_to(ROOT).as_posix()
                    yield where, node.lineno, ast.unparse(node.func), keywords


def faults() -> list[str]:
    told = []
    for where, line, name, keywords in calls():
        wrong = (
            (name in FORBIDDEN, "runs what it is given"),
            (name.rpartition(".")[2] in METHODS, "writes where an archive says"),
            (name == "yaml.load", "makes objects"),
            (
                name == "torch.load" and keywords.get("weights_only") is not True,
                "unpickles",
            ),
            (keywords.get("allow_pickle") is True, "unpickles"),
            (keywords.get("shell") is True, "runs a shell"),
            (keywords.get("trust_remote_code") is True, "runs code beside weights"),
            (
                name.endswith(".from_pretrained")
                and where.endswith("/hub.py")
                and "trust_remote_code" not in keywords,
                "asks whether to run code",
            ),
        )
        told += [
            f"{where}:{line}: {name} {why}"
            for is_wrong, why in wrong
            if is_wrong and (where, name) not in ALLOWED
        ]
    return told


def test_no_call_runs_what_a_file_says(count):
    told = faults()
    count("calls", looked_at=len(list(calls())), faults=len(told))
    assert told == []


def test_the_calls_that_are_allowed_are_still_there():
    known = {(where, name) for where, _, name, _ in calls()}
    assert known >= ALLOWED.keys()
    assert ("s2st_interleave/train/checkpoint.py", "torch.load") in known
