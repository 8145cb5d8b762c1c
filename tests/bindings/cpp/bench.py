"""The benchmark of the bindings runs to its end."""
import os

from building import RELEASE, TOP, run


def test_the_bench_prints_a_row_for_c_and_for_cpp():
    environment = {**os.environ, "GATEPOST_RELEASE": str(RELEASE), "TURNS": "1", "CXXFLAGS": "-DROUNDS=3 -DEACH=20"}
    said = run([str(TOP / "benches/bindings.sh"), "cpp"], env=environment)
    heading, *rows = [line.split() for line in said.splitlines()]
    assert heading == ["ns/decision", "public", "basic", "api-key", "hs256", "refused"], said
    assert [row[0] for row in rows] == ["c", "cpp"], said
    assert all(float(ns) > 0 for ns in rows[0][1:]) and len(rows[0]) == 6, said
    assert len(rows[1]) == 16, said
