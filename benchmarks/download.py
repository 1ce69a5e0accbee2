"""Whole messages into the store: 1 000 at 0 ms against mpop into an mbox, and whether memory grows with their number.

python -m benchmarks.download [--quick]
"""

from __future__ import annotations

import asyncio
import resource
import subprocess
import sys
import time
from pathlib import Path

from benchmarks.rig import (
    PASSWORD,
    USER,
    Effort,
    Host,
    amount,
    drain,
    engine_for,
    mailhost,
    median_of,
    parser,
    ratio,
    row,
    scratch,
)


def download(host) -> tuple[float, float]:
    """Seconds and peak MB of one download into a new store, in a process of its own."""
    with scratch() as folder:
        command = [sys.executable, "-m", "benchmarks.download", str(host.port), str(folder)]
        out = subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()
        return float(out[0]), float(out[1])


async def _once(port: int, folder: Path) -> None:
    async with engine_for(Host(port, ""), folder, download="all") as engine:
        start = time.perf_counter()
        await engine.accounts.sync("ada")
        seconds = time.perf_counter() - start
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000
        print(seconds, peak)


def mpop(host) -> float:
    with scratch() as folder:
        box = folder / "box"
        box.touch()
        rc = folder / "rc"
        rc.write_text(
            f"account default\nhost 127.0.0.1\nport {host.port}\nuser {USER}\npassword {PASSWORD}\nauth user\ntls off\n"
            f"keep on\npipelining on\nreceived_header off\nuidls_file {folder}/uidls\ndelivery mbox {box}\n"
        )
        rc.chmod(0o600)
        start = time.perf_counter()
        subprocess.run(["mpop", "-C", str(rc), "-q"], check=True, capture_output=True)
        return time.perf_counter() - start


def main() -> None:
    effort = Effort(parser(__doc__).parse_args().quick)
    small, large, huge = (effort.count(number) for number in (1000, 4000, 16_000))
    peaks = {}
    for count in (small, large):
        with mailhost(count, effort) as host:
            drain(host, "RETR")
            floor = median_of(effort.runs(3), lambda: drain(host, "RETR")[0])
            runs = sorted(download(host) for _ in range(effort.runs(3)))
            mine, peaks[count] = runs[len(runs) // 2][0], max(peak for _, peak in runs)
            print(f"{count} whole messages at 0 ms, {host.name}")
            row("drained from a raw socket, nothing kept", f"{floor:.2f} s")
            row("termmail, in the store and synced to disk", f"{mine:.2f} s", ratio(mine, floor, "drain"))
            if effort.compares_with("mpop"):
                theirs = median_of(effort.runs(3), lambda: mpop(host))
                row("mpop into an mbox", f"{theirs:.2f} s", ratio(mine, theirs, "mpop"), "goal 1.0")
    with mailhost(huge, effort) as host:
        peaks[huge] = max(download(host)[1] for _ in range(effort.runs(2)))
        print("peak memory while so many whole messages are fetched")
        for count, peak in peaks.items():
            row(f"  {count}", f"{peak:.0f} MB")
        each = (peaks[huge] - peaks[large]) * 1000 / (huge - large)
        name = f"  from {amount(large)} to {amount(huge)}"
        row(name, f"{each:.1f} kB each", ratio(peaks[huge], peaks[large], amount(large)), "goal 1")


if __name__ == "__main__":
    if len(sys.argv) == 3:  # the process that `download` measures
        asyncio.run(_once(int(sys.argv[1]), Path(sys.argv[2])))
    else:
        main()
