"""What jobs print stays readable: whole lines in a file, one line of progress each here."""

import re

from s2st_interleave.launch.screen import Screen
from s2st_interleave.progress import name_lines, named
from s2st_interleave.train.loop import _describe

STEP = "stage 6 train a: step   120/400  loss 2.210  3.1 steps/s, 90 s left"


def shown(text: str) -> list[str]:
    """Lines of a terminal after it has printed `text`."""
    lines = [""]
    for part in re.split(r"(\n|\x1b\[\d+A\r\x1b\[J)", text):
        if part == "\n":
            lines.append("")
        elif part.startswith("\x1b"):
            count = int(part[2 : part.index("A")])
            lines = [*lines[: len(lines) - 1 - count], ""]
        else:
            lines[-1] += part
    return lines[:-1]


def terminal(monkeypatch, *prefixes: str) -> Screen:
    monkeypatch.setenv("COLUMNS", "200")
    screen = Screen(prefixes)
    screen.is_terminal = True
    return screen


def test_lines_of_two_jobs_stand_in_one_column(capsys):
    screen = Screen(["[baseline] ", "[scheduled] "])
    for name in ("baseline", "scheduled"):
        screen.job(f"[{name}] ", STEP.replace("train a", f"train {name}"))
    lines = capsys.readouterr().out.splitlines()
    rest = "stage 6 train: step   120/400  loss 2.210  3.1 steps/s, 90 s left"
    assert lines == [f"[baseline]  {rest}", f"[scheduled] {rest}"]


def test_on_a_terminal_each_job_rewrites_its_own_line(monkeypatch, capsys):
    screen = terminal(monkeypatch, "[a] ", "[b] ")
    for done in (20, 200, 400):
        for prefix in ("[a] ", "[b] "):
            screen.job(prefix, STEP.replace("120/400", f"{done}/400"))
    screen.job("[a] ", "a line that stays")
    lines = shown(capsys.readouterr().out)
    assert lines[0] == "[a] a line that stays" and len(lines) == 3
    assert "[########################] step   400/400" in lines[1]
    assert lines[2].startswith("[b] ")
    screen.job("[a] ", "stage 6 train a: step 400/400 in 90 s, 4.4 steps/s")
    screen.end("[b] ")
    lines = shown(capsys.readouterr().out)
    assert [line[:4] for line in lines if "###" in line] == []


def test_evaluations_stay_on_the_screen(monkeypatch, capsys):
    screen = terminal(monkeypatch)
    screen.job("", STEP)
    screen.job("", STEP.replace("loss 2.210", "loss 2.210  dev_loss 2.001"))
    lines = shown(capsys.readouterr().out)
    assert "dev_loss 2.001" in lines[0] and "[###" in lines[1]


def test_a_line_of_a_training_has_stage_system_rate_and_time_left():
    name_lines("stage 6 train scheduled")
    try:
        line = {"step": 119, "loss": 2.214, "sec": 40.0}
        text = _describe(line, 400, ("loss",))
        assert named("x") == "stage 6 train scheduled: x"
    finally:
        name_lines("")
    assert text == (
        "stage 6 train scheduled: step   120/400  loss 2.214  3.0 steps/s, 93 s left"
    )
