"""A real server as a child in the foreground: configured, started, watched, stopped."""

import os
import signal
import socket
import subprocess
import time
from pathlib import Path

from .places import PATIENCE, give_back


def from_example(example: Path, changes: dict) -> str:
    """The text of an example configuration with some of its words replaced. Each must stand in it, so that what is
    tested is what the example says."""
    text = example.read_text()
    for old, new in changes.items():
        if old not in text:
            raise ValueError(f"{example} does not say {old!r} any more")
        text = text.replace(old, str(new))
    return text


class Server:
    """command: the program with its arguments, staying in the foreground. folder: where it works; its output goes to
    output.log there. ports: on which it will listen. log: its error log, where it is not the output."""

    def __init__(self, command, folder: Path, ports, log=None, environment=None, stop_with=signal.SIGTERM):
        self.command = [str(word) for word in command]
        self.folder, self.ports = folder, list(ports)
        self.output = folder / "output.log"
        self.log_file = log or self.output
        self.environment = {**os.environ, **(environment or {})}
        self.stop_with = stop_with
        self.process = None

    def __enter__(self):
        return self.start()

    def __exit__(self, *_):
        self.stop()

    def start(self, within=PATIENCE):
        """Starts it and waits until each port takes connections."""
        with open(self.output, "ab") as output:
            self.process = subprocess.Popen(
                self.command, cwd=self.folder, env=self.environment, stdin=subprocess.DEVNULL, stdout=output,
                stderr=output, start_new_session=True,
            )
        end = time.monotonic() + within
        for port in self.ports:
            while not self._listens(port):
                if self.process.poll() is not None:
                    raise RuntimeError(f"{self.command[0]} ended with {self.process.returncode}:\n{self.said()}")
                if time.monotonic() > end:
                    self.stop()
                    raise RuntimeError(f"{self.command[0]} does not listen on {port}:\n{self.said()}")
                time.sleep(0.02)
        return self

    @staticmethod
    def _listens(port) -> bool:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=10).close()
            return True
        except OSError:
            return False

    def stop(self, within=PATIENCE) -> int:
        """Ends it with all its processes; what it ended with."""
        for port in self.ports:
            give_back(port)
        if self.process is None:
            return 0
        if self.process.poll() is None:
            self.process.send_signal(self.stop_with)
            try:
                self.process.wait(within)
            except subprocess.TimeoutExpired:
                pass
        try:
            os.killpg(self.process.pid, signal.SIGKILL)  # a session of its own: nothing else is in it
        except ProcessLookupError:
            pass
        return self.process.wait()

    def knock(self):
        """Connects once to each of its ports, whether it listens or not."""
        for port in self.ports:
            self._listens(port)

    def signal(self, number):
        self.process.send_signal(number)

    def children(self) -> list:
        """The process ids of its own children that live."""
        found = []
        for stat in Path("/proc").glob("[0-9]*/stat"):
            try:
                words = stat.read_text().rsplit(")", 1)[1].split()
            except (OSError, IndexError):
                continue
            if words[0] != "Z" and int(words[1]) == self.process.pid:
                found.append(int(stat.parent.name))
        return sorted(found)

    def log(self) -> str:
        """Its error log so far."""
        return self.log_file.read_text(errors="replace") if self.log_file.exists() else ""

    def said(self) -> str:
        """Its output, and its error log where that is another file."""
        text = self.output.read_text(errors="replace") if self.output.exists() else ""
        return text if self.log_file == self.output else text + self.log()

    def wait_for(self, what, within=PATIENCE):
        """Waits until `what()` is true (of its log, say) and returns that."""
        return wait_for(what, within, self.said)


def wait_for(what, within=PATIENCE, otherwise=lambda: ""):
    """Waits until `what()` is true and returns what it was."""
    end = time.monotonic() + within
    while not (found := what()):
        if time.monotonic() > end:
            raise AssertionError(f"did not happen within {within} s\n{otherwise()}")
        time.sleep(0.02)
    return found


def resident(pid: int) -> int:
    """Resident memory of a process in KiB."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1])
    return 0
