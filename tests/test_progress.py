"""Progress is told in whole lines, often enough and no oftener."""

from __future__ import annotations

import io

import pytest

from interpflow.errors import InterpflowError
from interpflow.progress import Log, Progress


class Stream(io.StringIO):
    def __init__(self, terminal: bool):
        super().__init__()
        self.terminal = terminal

    def isatty(self) -> bool:
        return self.terminal


def told(tmp_path, terminal: bool, first: int = 0) -> tuple[list[str], list[str]]:
    """What the log and the terminal hear of 100 steps of one second."""
    stream, now = Stream(terminal), iter(range(1000))
    with Log(tmp_path / "deep/log.txt", "study/job", stream) as log:
        progress = Progress(log, clock=lambda: float(next(now)))
        for step in range(first + 1, 101):
            progress.update(step, 100, loss=1 / step)
    return (tmp_path / "deep/log.txt").read_text().splitlines(), stream.getvalue().splitlines()


def test_a_line_tells_step_values_rate_and_time_left(tmp_path):
    log, terminal = told(tmp_path, terminal=True)
    assert log[0] == "step 4/100, loss 0.25, 1 steps/s, 1:36 left"
    assert log[-1] == "step 100/100, loss 0.01, 1 steps/s, 0:00 left"
    assert terminal == [f"[study/job] {line}" for line in log]


def test_lines_come_every_few_seconds_on_a_terminal_and_every_half_minute_elsewhere(tmp_path):
    assert len(told(tmp_path, terminal=True)[0]) == 33
    assert [line.split(",")[0] for line in told(tmp_path, terminal=False)[0]] == [
        "step 31/100", "step 61/100", "step 91/100", "step 100/100",
    ]  # fmt: skip


def test_a_resumed_job_counts_its_rate_from_where_it_goes_on(tmp_path):
    log, _ = told(tmp_path, terminal=False, first=40)
    assert log[0].startswith("step 71/100")
    assert "1 steps/s, 0:29 left" in log[0]


def test_a_text_of_several_lines_is_labelled_line_by_line_in_one_piece(tmp_path):
    writes = []
    stream = Stream(terminal=False)
    stream.write = writes.append
    with Log(tmp_path / "log.txt", "a", stream) as log:
        log.line("one\ntwo")
    assert writes == ["[a] one\n[a] two\n"]


@pytest.mark.parametrize(
    ("error", "written"),
    [(InterpflowError("the way out"), "error: the way out\n"), (ValueError("a bug"), "Traceback")],
)
def test_the_log_says_why_a_job_failed_with_a_traceback_for_bugs_only(tmp_path, error, written):
    path = tmp_path / "log.txt"
    with pytest.raises(type(error)), Log(path, "a", Stream(terminal=False)):
        raise error
    assert path.read_text().startswith(written)
    assert str(error) in path.read_text()
