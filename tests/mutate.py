"""Plant small random faults in a package, run its tests against each, and report the faults that no test notices.

    python -m tests.mutate termmail/commands termmail/engine/transfer.py --tests tests/commands --count 40 --seed 7

Faults are made in a copy of the tree, one at a time: a comparison, a boolean operator or a condition turned round, a
number off by one, an empty string, a statement removed, another return value, swapped arguments. The same seed and the
same code give the same faults. The test files that name the changed module run first, and the first failure ends a run.
A mutant whose tests run longer than --seconds counts as noticed. Without --tests, tests/NAME is taken for
termmail/NAME. The exit code is 0 where at least 95 of 100 faults were noticed.

    python -m tests.mutate termmail --covered /tmp/covered --count 100 --seed 7

With --covered (see tests/covering.py) the tests of a mutant are those of all packages that ran the changed line, or its
module where only an import ran the line.

Left out is what no user can observe: annotations (also `cast` and `TypeVar`), docstrings, `__all__`, asserts, calls of `log`, names
of threads, `zip(strict=True)`, and the order of arguments that are equal or only compared (`max`).
"""

from __future__ import annotations

import argparse
import ast
import contextlib
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from queue import SimpleQueue

from tests import covering

ROOT = Path(__file__).parent.parent
GOAL = 0.95

COMPARISONS = {
    ast.Eq: ast.NotEq, ast.NotEq: ast.Eq, ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt,
    ast.In: ast.NotIn, ast.NotIn: ast.In, ast.Is: ast.IsNot, ast.IsNot: ast.Is,
}  # fmt: skip
OPERATORS = {ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.FloorDiv, ast.LShift: ast.RShift, ast.RShift: ast.LShift}
NAMES = {"min": "max", "max": "min", "any": "all", "all": "any"}
UNORDERED = {"min", "max", "compare_digest"}
UNOBSERVABLE = {("Thread", "name"), ("zip", "strict")}  # keywords


@dataclass(frozen=True)
class Fault:
    """A change of one file: the bytes from `start` to `end` become `new`."""

    path: str
    line: int
    kind: str
    start: int
    end: int
    old: str
    new: str

    def planted(self, source: bytes) -> bytes:
        return source[: self.start] + self.new.encode() + source[self.end :]

    def __str__(self) -> str:
        old, new = (" ".join(text.split())[:70] for text in (self.old, self.new))
        return f"{self.path}:{self.line}: {self.kind}: {old} -> {new}"


class Finder(ast.NodeVisitor):
    """Collects every place of a file where a fault can be planted. Annotations, docstrings and imports are left out."""

    def __init__(self, path: str, source: bytes) -> None:
        self.path = path
        self.source = source
        self.starts = [0]
        for line in source.splitlines(keepends=True):
            self.starts.append(self.starts[-1] + len(line))
        self.faults: list[Fault] = []
        self.visit(ast.parse(source))

    def add(self, node, kind, new):
        start = self.starts[node.lineno - 1] + node.col_offset
        end = self.starts[node.end_lineno - 1] + node.end_col_offset
        old = self.source[start:end].decode()
        text = new if isinstance(new, str) else f"({ast.unparse(new)})"
        fault = Fault(self.path, node.lineno, kind, start, end, old, text)
        try:
            compile(fault.planted(self.source), self.path, "exec")
        except SyntaxError:
            return
        self.faults.append(fault)

    def body(self, statements):
        for statement in statements:
            self.visit(statement)

    # -- what is left out

    def visit_If(self, node):
        if ast.unparse(node.test) == "TYPE_CHECKING":
            return
        self.add(node.test, "condition", ast.UnaryOp(ast.Not(), node.test))
        self.generic_visit(node)

    def visit_FunctionDef(self, node):
        for default in (*node.args.defaults, *filter(None, node.args.kw_defaults)):
            self.visit(default)
        self.body(node.body)

    visit_AsyncFunctionDef = visit_FunctionDef

    def visit_ClassDef(self, node):
        self.body(node.body)

    def visit_AnnAssign(self, node):
        if node.value is not None:
            self.visit(node.value)

    def visit_Assign(self, node):
        if ast.unparse(node.targets[0]) != "__all__":
            self.generic_visit(node)

    def visit_JoinedStr(self, node):
        for value in node.values:
            if isinstance(value, ast.FormattedValue) and sys.version_info >= (3, 12):
                self.visit(value.value)  # before 3.12 the positions inside of an f-string are wrong

    def visit_Assert(self, node):
        """An assert of the package narrows a type."""

    # -- the faults

    def visit_Expr(self, node):
        if isinstance(node.value, ast.Constant):
            return  # a docstring
        if isinstance(node.value, ast.Call) and ast.unparse(node.value.func).startswith("log."):
            return
        self.add(node, "removed statement", "pass")
        self.generic_visit(node)

    def visit_AugAssign(self, node):
        self.add(node, "removed statement", "pass")
        self.generic_visit(node)

    def visit_Raise(self, node):
        self.add(node, "removed statement", "pass")

    def visit_Continue(self, node):
        self.add(node, "loop", "break")

    def visit_Break(self, node):
        self.add(node, "loop", "continue")

    def visit_Return(self, node):
        if node.value is None:
            return
        if not (isinstance(node.value, ast.Constant) and isinstance(node.value.value, bool | None)):
            self.add(node.value, "return value", "None")  # a truth is turned round, for None is as good as False
        self.generic_visit(node)

    def visit_While(self, node):
        self.generic_visit(node)

    def visit_IfExp(self, node):
        self.add(node.test, "condition", ast.UnaryOp(ast.Not(), node.test))
        self.generic_visit(node)

    def visit_Compare(self, node):
        other = COMPARISONS[type(node.ops[0])]()
        self.add(node, "comparison", ast.Compare(node.left, [other, *node.ops[1:]], node.comparators))
        self.generic_visit(node)

    def visit_BoolOp(self, node):
        other = ast.Or() if isinstance(node.op, ast.And) else ast.And()
        self.add(node, "boolean", ast.BoolOp(other, node.values))
        self.generic_visit(node)

    def visit_UnaryOp(self, node):
        if isinstance(node.op, ast.Not):
            self.add(node, "boolean", node.operand)
        self.generic_visit(node)

    def visit_BinOp(self, node):
        if other := OPERATORS.get(type(node.op)):
            self.add(node, "operator", ast.BinOp(node.left, other(), node.right))
        self.generic_visit(node)

    def visit_Constant(self, node):
        if isinstance(node.value, bool):
            self.add(node, "constant", repr(not node.value))
        elif isinstance(node.value, int):
            self.add(node, "off by one", repr(node.value + 1))
        elif isinstance(node.value, str | bytes) and node.value:
            self.add(node, "constant", repr(node.value[:0]))

    def visit_Slice(self, node):
        for bound in (node.lower, node.upper):
            if bound is not None:
                self.add(bound, "off by one", ast.BinOp(bound, ast.Add(), ast.Constant(1)))

    def visit_Call(self, node):
        name = ast.unparse(node.func).rpartition(".")[2]
        if name in {"TypeVar", "ParamSpec"}:
            return
        if name == "cast":
            self.visit(node.args[1])
            return
        if isinstance(node.func, ast.Name) and name in NAMES:
            self.add(node.func, "name", NAMES[name])
        first = node.args[:2]
        ordered = len(first) == 2 and name not in UNORDERED and ast.dump(first[0]) != ast.dump(first[1])
        if ordered and not any(isinstance(argument, ast.Starred) for argument in first):
            self.add(node, "swapped arguments", ast.Call(node.func, [*first[::-1], *node.args[2:]], node.keywords))
        self.body([node.func, *node.args])
        self.body(keyword.value for keyword in node.keywords if (name, keyword.arg) not in UNOBSERVABLE)


def faults_in(sources: dict[str, bytes]) -> list[Fault]:
    """Every fault that can be planted in these files, by path."""
    return [fault for path, source in sorted(sources.items()) for fault in Finder(path, source).faults]


def chosen(faults: list[Fault], count: int, seed: int) -> list[Fault]:
    """So many faults, of each kind alike as far as there are."""
    shuffled = random.Random(seed)
    kinds: dict[str, list[Fault]] = {}
    for fault in faults:
        kinds.setdefault(fault.kind, []).append(fault)
    for group in kinds.values():
        shuffled.shuffle(group)
    found: list[Fault] = []
    while len(found) < count and any(kinds.values()):
        for kind in sorted(kinds):
            if kinds[kind]:
                found.append(kinds[kind].pop())
    return found[:count]


def copy_of_the_tree(to: Path) -> Path:
    """The files that git knows, as they are in the working tree."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, check=True, capture_output=True).stdout
    for name in listed.decode().split("\0"):
        if name and (ROOT / name).is_file():
            (to / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(ROOT / name, to / name)
    return to


def nearest_first(tests: list[str], tree: Path, fault: Fault) -> list[str]:
    """The test files, those first that are named after the changed module, then those that mention it most often."""
    module = re.compile(rf"\b{re.escape(Path(fault.path).stem)}\b".encode())
    files = [
        file
        for name in tests
        for file in (sorted((tree / name).rglob("test_*.py")) if (tree / name).is_dir() else [tree / name])
    ]

    def distance(file: Path) -> tuple[bool, int]:
        return Path(fault.path).stem not in file.stem, -len(module.findall(file.read_bytes()))

    return [str(file.relative_to(tree)) for file in sorted(files, key=distance)]


def covering_tests(covered: Path, tree: Path, fault: Fault) -> list[str]:
    """The recorded tests that ran the changed lines, or the module where only an import ran them; nearest first."""
    lines = covering.tests_of_lines(covered, ROOT / fault.path)
    last = fault.line + fault.old.count("\n")
    found = set().union(*(lines.get(line, set()) for line in range(fault.line, last + 1))) or set().union(
        *lines.values()
    )
    files = nearest_first(sorted({test.partition("::")[0] for test in found}), tree, fault)
    return sorted(found, key=lambda test: (files.index(test.partition("::")[0]), test))


def passes(tree: Path, tests: list[str], seconds: float) -> bool:
    """Run these tests in a copy of the tree; False where one fails or time is up."""
    options = ["-q", "-x", "-n", "0", "-p", "no:randomly", "-p", "no:cacheprovider", "--no-header", "--timeout", "40"]
    environment = {**os.environ, "PYTHONPATH": str(tree), "PYTHONDONTWRITEBYTECODE": "1"}
    names = tree / ".tests"
    names.write_text("\n".join(tests))
    process = subprocess.Popen(
        [sys.executable, "-m", "pytest", *options, f"@{names}"],
        cwd=tree,
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        return process.wait(seconds) == 0
    except subprocess.TimeoutExpired:
        return False
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)  # also what a test left running
        process.wait()


def survives(fault: Fault, tree: Path, tests: list[str], seconds: float) -> bool:
    """Whether the tests pass with the fault planted."""
    path = tree / fault.path
    source = path.read_bytes()
    path.write_bytes(fault.planted(source))
    try:
        return passes(tree, tests, seconds)
    finally:
        path.write_bytes(source)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("packages", nargs="+", metavar="PATH", help="a package or a file below termmail/")
    parser.add_argument("--tests", nargs="+", metavar="PATH", help="the tests to run")
    parser.add_argument("--covered", type=Path, metavar="FOLDER", help="the tests that ran the changed line, of all")
    parser.add_argument("--count", type=int, default=20, help="how many faults (20)")
    parser.add_argument("--seed", type=int, default=1, help="which faults (1)")
    parser.add_argument("--seconds", type=float, default=0, help="time limit of a run (4 x that of the sound code)")
    parser.add_argument("--jobs", type=int, default=1, help="runs at the same time (1)")
    args = parser.parse_args()
    files = [file for name in args.packages for file in ([ROOT / name] if name.endswith(".py") else sorted((ROOT / name).rglob("*.py")))]  # fmt: skip
    sources = {str(file.relative_to(ROOT)): file.read_bytes() for file in files}
    tests = args.tests or sorted({f"tests/{Path(name).parts[1].removesuffix('.py')}" for name in args.packages})
    faults = chosen(faults_in(sources), args.count, args.seed)
    with tempfile.TemporaryDirectory() as folder:
        trees: SimpleQueue[Path] = SimpleQueue()
        for number in range(args.jobs):
            trees.put(copy_of_the_tree(Path(folder, str(number))))
        start = time.monotonic()
        tree = trees.get()
        if not args.covered and not passes(tree, tests, 3600):
            sys.exit(f"{' '.join(tests)} fails without any fault.")
        trees.put(tree)
        seconds = args.seconds or (600 if args.covered else 4 * (time.monotonic() - start) + 10)

        def run(fault: Fault) -> bool:
            tree = trees.get()
            try:
                nearest = (
                    covering_tests(args.covered, tree, fault) if args.covered else nearest_first(tests, tree, fault)
                )
                survived = survives(fault, tree, nearest, seconds)
            finally:
                trees.put(tree)
            print(f"{'SURVIVED' if survived else 'noticed '}  {fault}", flush=True)
            return survived

        with ThreadPoolExecutor(args.jobs) as pool:
            survivors = sum(pool.map(run, faults))
    print(f"{len(faults) - survivors} of {len(faults)} faults noticed")
    return 0 if survivors <= len(faults) * (1 - GOAL) else 1


if __name__ == "__main__":
    sys.exit(main())
