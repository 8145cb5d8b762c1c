"""What one decision costs in Python over the same call in C.

Rounds in C and in Python take turns in one thread of one process, on the same engine and the same request; the
processor's time counts, and what a tenth of the rounds were quicker than: while somebody else has the other half of the
core all takes twice as long, which the median would measure.
"""

import sys
from statistics import quantiles
from time import thread_time_ns

import cffi

import gatepost
from gatepost._library import lib

ROUNDS, EACH = 601, 100
USUAL = [
    ("Host", "orders.example.com"),
    ("User-Agent", "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"),
    ("Accept", "application/json"),
    ("Accept-Language", "en-GB,en;q=0.7,de;q=0.3"),
    ("Accept-Encoding", "gzip, deflate, br"),
    ("Connection", "keep-alive"),
    ("Referer", "https://orders.example.com/orders"),
    ("Sec-Fetch-Site", "same-origin"),
]


def main(helper: str, policy: str, token: str, key: str, lines: str = "") -> None:
    ffi = cffi.FFI()
    ffi.cdef("int64_t loop(void *, void *, void *, void *, uint32_t, uint32_t);")
    loop = ffi.dlopen(helper).loop
    engine = gatepost.Engine(policy)
    basic = "Basic cml0YTpmb3VyIGN1cHMgb2YgZ3JlZW4gdGVhIGVhY2ggbm9vbg=="
    paths = [
        ("public", "/health", [], 200),
        ("basic, remembered", "/orders/7", [("Authorization", basic)], 200),
        ("API key", "/orders/7", [("X-API-Key", key)], 200),
        ("HS256, remembered", "/orders/7", [("Authorization", f"Bearer {token}")], 200),
        ("refused, no credentials", "/orders/7", [], 401),
    ]
    if not lines:
        print(f"{'ns of the processor':24} {'C':>8} {'Python':>8} {'over':>8} {'with a new Request':>20}")
    for name, target, more, status in paths:
        fields = [*USUAL, *more]

        def new(target: str = target, fields: "list[tuple[str, str]]" = fields) -> gatepost.Request:
            return gatepost.Request("GET", target, fields, peer="192.0.2.7", tls=True, body=b"")

        request = new()
        assert engine.decide(request).status == status
        address = [ffi.cast("void *", int(gatepost._library.ffi.cast("uintptr_t", pointer))) for pointer in (
            lib.gatepost_decide_into, lib.gatepost_decision_free, engine._handle, request._laid().pointer)]
        in_c, in_python, in_whole = [], [], []
        decide = engine.decide
        for _ in range(ROUNDS):
            spent = loop(*address, status, EACH)
            assert spent > 0
            in_c.append(spent / EACH)
            start = thread_time_ns()
            for _ in range(EACH):
                decide(request).allowed
            in_python.append((thread_time_ns() - start) / EACH)
            start = thread_time_ns()
            for _ in range(EACH // 4):
                decide(new()).allowed
            in_whole.append((thread_time_ns() - start) / (EACH // 4))
        c, python, whole = (quantiles(times, n=10)[0] for times in (in_c, in_python, in_whole))
        over = python - c
        if lines:
            path = {"basic, remembered": "basic", "API key": "api-key", "HS256, remembered": "hs256"}.get(name, name.split(",")[0])
            print(f"python decide\t{path}\t{python:.0f}\npython Request\t{path}\t{whole:.0f}")
        else:
            print(f"{name:24} {c:8.0f} {python:8.0f} {over:+8.0f} {whole:20.0f}")


if __name__ == "__main__":
    main(*sys.argv[1:])
