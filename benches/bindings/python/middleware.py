"""How many requests a service answers with the middleware, to the same service without it: uvicorn, one process, wrk.

All run all the time and are asked in turn. Besides the throughput, which what else the machine does moves, the time of
the processor that the server takes for a request, and the ratio in quiet moments (benches/windows.c, whose program is
the last argument).
"""

import os
import re
import socket
import subprocess
import sys
import time
from pathlib import Path
from statistics import median

HERE = Path(__file__).resolve().parent
HZ = os.sysconf("SC_CLK_TCK")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def processor(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / HZ


def start(policy: str) -> "tuple[subprocess.Popen[bytes], int]":
    port = free_port()
    words = ["-m", "uvicorn", "service:app", "--port", str(port), "--no-access-log", "--log-level", "error"]
    process = subprocess.Popen([sys.executable, *words], cwd=HERE, env={**os.environ, "GATEPOST_POLICY": policy})
    for _ in range(400):
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return process, port
        time.sleep(0.05)
    raise SystemExit("the service does not start")


def ask(process: "subprocess.Popen[bytes]", port: int, token: str, seconds: str) -> "tuple[float, float]":
    """Requests a second, and microseconds of the processor for each."""
    before = processor(process.pid)
    words = ["wrk", "-t1", "-c8", f"-d{seconds}s", "-H", f"Authorization: Bearer {token}", "-H", "Accept: application/json"]
    out = subprocess.run(
        [*words, f"http://127.0.0.1:{port}/orders/7"], capture_output=True, text=True, check=True, timeout=120
    ).stdout
    assert "Non-2xx" not in out and "Socket errors" not in out, out
    count = int(re.search(r"(\d+) requests in", out)[1])  # type: ignore[index]
    rate = float(re.search(r"Requests/sec:\s+([\d.]+)", out)[1])  # type: ignore[index]
    return rate, (processor(process.pid) - before) / count * 1e6


def main(policy: str, token: str, turns: str, seconds: str, windows: str) -> None:
    # The same policy without [identity]: who asks is in request.user, and no header fields carry it on.
    bare = Path(policy).with_name("bare.toml")
    bare.write_text(re.sub(r"\[identity\]\n(?:[^\[\n].*\n)*", "", Path(policy).read_text()))
    services = {"without": start(""), "with": start(str(bare)), "with, and fields": start(policy)}
    try:
        rates: "dict[str, list[float]]" = {name: [] for name in services}
        costs: "dict[str, list[float]]" = {name: [] for name in services}
        for service in services.values():
            ask(*service, token, "1")
        for turn in range(int(turns)):
            for name in sorted(services, reverse=turn % 2 == 0):
                rate, cost = ask(*services[name], token, seconds)
                rates[name].append(rate)
                costs[name].append(cost)
        places = [f"{port}/orders/7" for _, port in services.values()]
        words = [windows, "8", "20", str(int(turns) * 40), f"Authorization: Bearer {token}\r\nAccept: application/json", *places]
        lines = subprocess.run(words, stdout=subprocess.PIPE, text=True, check=True).stdout.splitlines()
        quiet = {name: line.split()[2] for name, line in zip(services, lines)}
        print(f"{'FastAPI on uvicorn':24} {'requests/s':>16} {'processor us/request':>24} {'in quiet moments':>18}")
        for name in services:
            of_rates = median(mine / theirs for mine, theirs in zip(rates[name], rates["without"]))
            of_costs = median(theirs / mine for mine, theirs in zip(costs[name], costs["without"]))
            rate, cost = f"{median(rates[name]):.0f} ({of_rates:.2f})", f"{median(costs[name]):.1f} ({of_costs:.2f})"
            print(f"{name:24} {rate:>16} {cost:>24} {quiet[name]:>18}")
    finally:
        for process, _ in services.values():
            process.terminate()
            process.wait(20)


if __name__ == "__main__":
    main(*sys.argv[1:])
