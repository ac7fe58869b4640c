"""The door to outside programs: how failures are told."""

from __future__ import annotations

from pathlib import Path

import pytest

from devloop.clients.process import run
from devloop.errors import DevloopError, ToolError


def test_output_and_input() -> None:
    assert run(["cat"], input=b"in").stdout == b"in"
    assert run(["sh", "-c", "exit 3"], check=False).status == 3


def test_a_failure_carries_command_status_and_the_end_of_the_output() -> None:
    with pytest.raises(ToolError) as caught:
        run(["sh", "-c", "seq 100; echo no >&2; exit 3"])
    assert caught.value.status == 3
    assert caught.value.output == "no"
    assert "sh -c" in caught.value.message


def test_a_program_that_is_not_there_or_may_not_be_run(tmp_path: Path) -> None:
    with pytest.raises(DevloopError, match="cannot run no-such-program") as caught:
        run(["no-such-program"])
    assert str(caught.value.hint) == "install no-such-program"
    plain = tmp_path / "plain"
    plain.write_text("")
    with pytest.raises(DevloopError, match=r"cannot run .*plain: Permission denied"):
        run([plain])


def test_a_folder_that_is_not_there_is_not_taken_for_a_missing_program(tmp_path: Path) -> None:
    with pytest.raises(DevloopError, match="there is no folder"):
        run(["true"], cwd=tmp_path / "gone")


def test_no_answer_in_time() -> None:
    with pytest.raises(DevloopError, match="gave no answer within"):
        run(["sleep", "60"], timeout=0.2)


def test_output_is_kept_out_of_the_repr() -> None:
    assert "secret" not in repr(run(["echo", "secret"]))
