"""The mutation script: its faults are real, and the same seed plants the same ones."""

from __future__ import annotations

import ast
import os
import subprocess
import sys

from tests import mutate

SOURCE = '''"""A module."""
from typing import TYPE_CHECKING
if TYPE_CHECKING:
    import os
__all__ = ["total"]
LIMIT: "int | None" = 3

def total(numbers: "list[int]", most: int = 10) -> int:
    """Add numbers up to a limit: größer geht nicht."""
    found = 0
    for number in numbers:
        if number < 0 or not number:
            continue
        found += number
    if found > most:
        raise ValueError("zu groß")
    print("ärger", "ä" in "größe", most)
    return min(found, most)
'''.encode()


def test_every_fault_compiles_and_changes_the_code():
    faults = mutate.faults_in({"x.py": SOURCE})
    kinds = {fault.kind for fault in faults}
    assert kinds == {
        "comparison", "condition", "boolean", "loop", "removed statement", "off by one", "name", "constant",
        "swapped arguments", "return value",
    }  # fmt: skip
    sound = ast.dump(ast.parse(SOURCE))
    for fault in faults:
        assert ast.dump(ast.parse(fault.planted(SOURCE))) != sound, str(fault)
        assert SOURCE[fault.start : fault.end].decode() == fault.old


def test_annotations_docstrings_and_exports_are_left_alone():
    lines = {fault.line for fault in mutate.faults_in({"x.py": SOURCE})}
    assert lines.isdisjoint({1, 3, 4, 5, 9})


def test_a_truth_that_is_returned_is_turned_round():
    faults = mutate.faults_in({"x.py": b"def f():\n    return False\ndef g():\n    return 0\n"})
    assert [(fault.kind, fault.new) for fault in faults] == [
        ("constant", "True"), ("return value", "None"), ("off by one", "1"),
    ]  # fmt: skip


UNOBSERVED = b"""
log.warning("this was %s", text)
first = cast("int", second)
Thread(target=third, name="worker")
zip(fourth, strict=True)
max(fifth, sixth)
Pair([], [])
T = TypeVar("T")
"""


def test_what_nobody_can_observe_is_left_alone():
    faults = mutate.faults_in({"x.py": UNOBSERVED})
    assert {fault.kind for fault in faults} == {"removed statement", "name"}


def test_the_test_files_that_name_the_module_run_first(tmp_path):
    (tmp_path / "tests").mkdir()
    for name, text in {"test_a.py": "", "test_b.py": "from x import part", "test_part_of_it.py": ""}.items():
        (tmp_path / "tests" / name).write_text(text)
    [fault, *_] = mutate.faults_in({"x/part.py": b"x = 1"})
    assert mutate.nearest_first(["tests"], tmp_path, fault) == [
        "tests/test_part_of_it.py", "tests/test_b.py", "tests/test_a.py",
    ]  # fmt: skip
    assert mutate.nearest_first(["tests/test_a.py"], tmp_path, fault) == ["tests/test_a.py"]


def test_the_same_seed_chooses_the_same_faults():
    faults = mutate.faults_in({"x.py": SOURCE})
    assert mutate.chosen(faults, 8, seed=3) == mutate.chosen(faults, 8, seed=3)
    assert mutate.chosen(faults, 8, seed=3) != mutate.chosen(faults, 8, seed=4)


def test_a_fault_that_no_test_notices_is_reported_and_taken_out_again(tmp_path):
    (tmp_path / "part.py").write_text("def double(number):\n    return number * 2\n")
    (tmp_path / "test_part.py").write_text("import part\n\ndef test_part():\n    assert part.double(1) > 0\n")
    faults = mutate.faults_in({"part.py": (tmp_path / "part.py").read_bytes()})
    survived = {fault.kind: mutate.survives(fault, tmp_path, ["test_part.py"], 60) for fault in faults}
    assert survived == {"return value": False, "operator": False, "off by one": True}
    assert (tmp_path / "part.py").read_text() == "def double(number):\n    return number * 2\n"


def test_the_tests_that_ran_a_line_are_recorded(tmp_path):
    covered, file = tmp_path / "covered", "termmail/mail/flowed.py"
    argv = ["-p", "tests.covering", "-q", "-n", "0", "-p", "no:cacheprovider", "tests/mail/test_flowed.py"]
    subprocess.run(
        [sys.executable, "-m", "pytest", *argv],
        check=True,
        env={**os.environ, "COVERED": str(covered)},
        cwd=mutate.ROOT,
        stdout=subprocess.DEVNULL,
    )
    for fault in mutate.faults_in({file: (mutate.ROOT / file).read_bytes()}):
        tests = mutate.covering_tests(covered, mutate.ROOT, fault)
        assert tests
        assert all(test.startswith("tests/mail/test_flowed.py::") for test in tests)
