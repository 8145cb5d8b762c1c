#!/usr/bin/env python3
"""bill.py OUT: what the built files hold, and under which licences.

Writes OUT/gatepost.cdx.json, a software bill of materials (CycloneDX 1.5), and OUT/THIRD-PARTY.txt, the licence texts.
Both come from `cargo metadata` and Cargo.lock: every crate that is linked in, and the C code that a crate brings along.
The same sources give the same bytes.
"""

import hashlib
import json
import re
import subprocess
import sys
import uuid
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]

# Crates that carry the source of a C library: its name, the file that says its version, how it says it, its licence.
BUNDLED = {
    "libsqlite3-sys": ("SQLite", "sqlite3/sqlite3.h", r'#define SQLITE_VERSION\s+"([0-9.]+)"', "blessing"),
    "aws-lc-sys": ("AWS-LC", "aws-lc/include/openssl/base.h", r'#define AWSLC_VERSION_NUMBER_STRING\s+"([0-9.]+)"', "ISC"),
}

# Crates whose package holds no licence text: what they declare, and where the text then comes from.
TEXT_OF_OURS = {"MIT": "LICENSE-MIT", "Apache-2.0": "LICENSE-APACHE"}


def cargo(*arguments):
    done = subprocess.run(["cargo", *arguments], cwd=ROOT, capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"bill.py: cargo {' '.join(arguments)} failed:\n{done.stderr}")
    return done.stdout


def linked():
    """Packages that end up in the library or the command line, by id, with what each needs; ours first."""
    host = re.search(r"^host: (.*)$", subprocess.run(["rustc", "-vV"], capture_output=True, text=True).stdout, re.M)
    metadata = json.loads(cargo("metadata", "--format-version=1", "--locked", f"--filter-platform={host[1]}"))
    packages = {package["id"]: package for package in metadata["packages"]}
    needs = {}
    for node in metadata["resolve"]["nodes"]:
        # kind null is a normal dependency; macros run at build time and leave nothing of themselves.
        needs[node["id"]] = [
            d["pkg"] for d in node["deps"] if any(kind["kind"] is None for kind in d["dep_kinds"])
            and not any("proc-macro" in target["kind"] for target in packages[d["pkg"]]["targets"])
        ]
    ours = metadata["resolve"]["root"]
    found, waiting = [], [ours]
    while waiting:
        one = waiting.pop()
        if one not in found:
            found.append(one)
            waiting.extend(needs[one])
    rest = sorted(found[1:], key=lambda one: (packages[one]["name"], packages[one]["version"]))
    return [packages[ours]] + [packages[one] for one in rest], {one: sorted(needs[one]) for one in found}


def checksums():
    text = (ROOT / "Cargo.lock").read_text()
    entry = r'name = "([^"]+)"\nversion = "([^"]+)"\nsource = "[^"]+"\nchecksum = "([0-9a-f]{64})"'
    return {(name, version): sum_ for name, version, sum_ in re.findall(entry, text)}


def purl(package):
    return f"pkg:cargo/{package['name']}@{package['version']}"


def licence(package):
    """SPDX expression; the old form with a slash means "or"."""
    expression = package["license"]
    if not expression:
        sys.exit(f"bill.py: {package['name']} declares no licence")
    return re.sub(r"\s*/\s*", " OR ", expression)


def bundled(package):
    if package["name"] not in BUNDLED:
        return None
    name, file, pattern, terms = BUNDLED[package["name"]]
    text = (Path(package["manifest_path"]).parent / file).read_text(errors="replace")
    version = re.search(pattern, text)
    if not version:
        sys.exit(f"bill.py: {package['name']}: {file} does not say the version of {name}")
    return name, version[1], terms


def materials(packages, needs, sums):
    references = {package["id"]: purl(package) for package in packages}
    components, graph = [], []
    for package in packages[1:]:
        key = (package["name"], package["version"])
        component = {
            "type": "library", "bom-ref": purl(package), "name": key[0], "version": key[1], "purl": purl(package),
            "licenses": [{"expression": licence(package)}], "hashes": [{"alg": "SHA-256", "content": sums[key]}],
        }
        inner = bundled(package)
        if inner:
            component["components"] = [{
                "type": "library", "bom-ref": f"{purl(package)}#{inner[0]}", "name": inner[0], "version": inner[1],
                "licenses": [{"license": {"id": inner[2]}}],
            }]
        components.append(component)
    for package in packages:
        graph.append({"ref": references[package["id"]], "dependsOn": [references[need] for need in needs[package["id"]]]})
    ours = packages[0]
    bom = {
        "bomFormat": "CycloneDX", "specVersion": "1.5", "version": 1,
        "metadata": {"component": {
            "type": "library", "bom-ref": purl(ours), "name": ours["name"], "version": ours["version"],
            "purl": purl(ours), "licenses": [{"expression": licence(ours)}],
        }},
        "components": components, "dependencies": graph,
    }
    digest = hashlib.sha256(json.dumps(bom, sort_keys=True).encode()).hexdigest()
    bom["serialNumber"] = uuid.UUID(digest[:32], version=4).urn
    return bom


def texts_of(package):
    folder = Path(package["manifest_path"]).parent
    wanted = re.compile(r"(licen[cs]e|copying|notice|unlicense|copyright)", re.I)
    files = [f for f in sorted(folder.iterdir()) if f.is_file() and wanted.match(f.name) and f.suffix not in (".rs", ".toml")]
    return [f.read_text(errors="replace").strip() for f in files]


def notices(packages):
    """Every text once, with all that it covers."""
    covers = {}
    for package in packages[1:]:
        texts = texts_of(package)
        if not texts:
            terms = [name for name in TEXT_OF_OURS if name in licence(package)]
            if not terms:
                sys.exit(f"bill.py: {package['name']} ({licence(package)}) carries no licence text; add it by hand")
            authors = ", ".join(package["authors"]) or f"the authors of {package['name']}"
            body = (ROOT / TEXT_OF_OURS[terms[0]]).read_text().strip()
            texts = [f"(no text in the package; {terms[0]}, by {authors})\n\n" + re.sub(r"^Copyright .*$", f"Copyright {authors}", body, flags=re.M)]
        for text in texts:
            covers.setdefault(text, []).append(f"{package['name']} {package['version']} ({licence(package)})")
    parts = ["Gatepost contains the following software. Its own licence is in LICENSE-APACHE and LICENSE-MIT.\n"]
    for package in packages[1:]:
        inner = bundled(package)
        if inner:
            parts.append(f"{package['name']} brings along {inner[0]} {inner[1]} ({inner[2]}).")
    for text, names in covers.items():
        parts.append("\n" + "=" * 78 + "\n" + "\n".join(names) + "\n" + "-" * 78 + "\n\n" + text)
    return "\n".join(parts) + "\n"


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    out = Path(sys.argv[1])
    out.mkdir(parents=True, exist_ok=True)
    packages, needs = linked()
    bom = materials(packages, needs, checksums())
    (out / "gatepost.cdx.json").write_text(json.dumps(bom, indent=1) + "\n")
    (out / "THIRD-PARTY.txt").write_text(notices(packages))
    print(f"{len(packages) - 1} crates in {out}/gatepost.cdx.json and {out}/THIRD-PARTY.txt")


if __name__ == "__main__":
    main()
