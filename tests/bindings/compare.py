#!/usr/bin/env python3
"""compare.py NAME PLAIN PLAIN THROUGH: holds what `gatepost test --json --through` printed to two runs without it.

Every case of the plain run must be there, pass, and have got the same. Where the two plain runs themselves differ, ids
and secrets that were drawn at random are left out of the comparison, and nothing else. Prints `N passed, N failed`;
exits 1 where anything differs.
"""
import json
import re
import sys

# An id of a decision; and what is drawn at random in base64url, as tokens and nonces are.
DRAWN = re.compile(r"[0-9a-f]{16}-[0-9]+|[A-Za-z0-9_-]{16,}")


def cases(path):
    with open(path, encoding="utf-8") as file:
        found = {}
        for case in json.load(file)["cases"]:
            key = (case["file"], case["name"])
            count = sum(1 for known in found if known[:2] == key)
            found[(*key, count)] = case
    return found


def differences(where, one, other, through):
    """The places at which `through` differs from both plain answers."""
    if isinstance(one, dict) and isinstance(other, dict) and isinstance(through, dict):
        for name in sorted(one.keys() | other.keys() | through.keys()):
            at = f"{where}.{name}" if where else name
            yield from differences(at, one.get(name), other.get(name), through.get(name))
    elif (
        isinstance(one, list)
        and isinstance(other, list)
        and isinstance(through, list)
        and len(one) == len(other) == len(through)
    ):
        for number, (a, b, c) in enumerate(zip(one, other, through)):
            yield from differences(f"{where}[{number}]", a, b, c)
    elif one != other and isinstance(one, str) and isinstance(through, str):
        if DRAWN.sub("*", one) != DRAWN.sub("*", through):
            yield f"{where}: {through!r} in place of {one!r}"
    elif through != one:
        yield f"{where}: {through!r} in place of {one!r}"


def main():
    name, *paths = sys.argv[1:]
    plain, again, through = map(cases, paths)
    passed = failed = 0
    for key in sorted(plain.keys() | through.keys()):
        if key not in plain:
            faults = ["is no case of the plain run"]
        elif key not in through:
            faults = ["was not run"]
        else:
            faults = list(through[key]["differs"])
            faults += differences("", plain[key]["got"], again[key]["got"], through[key]["got"])
            if not through[key]["passed"] and not faults:
                faults = ["failed"]
            if not plain[key]["passed"]:
                faults = ["fails in the plain run too"]
        if faults:
            failed += 1
            print(f"{name}: {key[0]}: {key[1]}")
            for fault in faults[:5]:
                print(f"    {fault}")
        else:
            passed += 1
    print(f"{name}: {passed} passed, {failed} failed")
    sys.exit(1 if failed or not passed else 0)


if __name__ == "__main__":
    main()
