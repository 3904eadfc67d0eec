"""PyTorch as a contestant: processes of torch_peer.py that wait for commands."""

from __future__ import annotations

import importlib.util
import pathlib
import subprocess
import sys
import time

from avax.bench.steps import NUM_GENERATED, TASK, Contestant, Size


def is_installed() -> bool:
    """Whether there is a PyTorch to measure against."""
    return importlib.util.find_spec("torch") is not None


class Peer:
    """One size in some processes side by side, each with its own threads."""

    def __init__(self, size: Size, num_processes: int, num_threads: int):
        self.size, self.num_processes, self.num_threads = size, num_processes, num_threads
        sizes = (size.num_layers, size.num_heads, size.width, size.batch)
        lengths = (TASK.prompt_len, TASK.completion_len, NUM_GENERATED)
        script = pathlib.Path(__file__).with_name("torch_peer.py")
        command = [sys.executable, script, num_threads, *sizes, *lengths]
        self._processes = [
            subprocess.Popen(
                [str(c) for c in command], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
            )
            for _ in range(num_processes)
        ]

    def contestant(self, work: str) -> Contestant:
        """Seconds of an update, or of a completion, all processes together."""
        count = self.size.num_steps(work) if work == "train" else 4
        units = count * (1 if work == "train" else NUM_GENERATED)
        facts = {"size": self.size.width, "work": work, "by": "torch"}
        facts |= {"processes": self.num_processes, "threads": self.num_threads}

        def seconds() -> float:
            for process in self._processes:
                process.stdin.write(f"{work} {count}\n")
                process.stdin.flush()
            times = [float(process.stdout.readline()) for process in self._processes]
            time.sleep(0.3)  # its threads spin for a while before they sleep
            return 1 / sum(units / t for t in times)

        return Contestant(facts, seconds)

    def close(self) -> None:
        """Ends the processes."""
        for process in self._processes:
            process.stdin.close()
            process.wait()
