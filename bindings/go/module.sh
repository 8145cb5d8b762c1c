#!/usr/bin/env bash
# module.sh [FOLDER]: the module as files of a Go module proxy, with the archives that are below lib/, in FOLDER
# (default: target/go). `GOPROXY=file://FOLDER,…` then serves `go get gatepost.invalid/gatepost`, and so does any web
# server that hands these files out.
set -euo pipefail
cd "$(dirname "$0")/../.."
folder=${1:-${CARGO_TARGET_DIR:-target}/go}
bindings/go/archive.sh
version=v$(sed -n 's/^version = "\(.*\)"/\1/p' Cargo.toml | head -n 1)
module=$(sed -n 's/^module //p' bindings/go/go.mod)
mkdir -p "$folder"
python3 - "$folder/$module/@v" "$module" "$version" "${SOURCE_DATE_EPOCH:-$(date +%s)}" <<'END'
import json, pathlib, sys, time, zipfile

folder, module, version, seconds = pathlib.Path(sys.argv[1]), sys.argv[2], sys.argv[3], int(sys.argv[4])
source = pathlib.Path("bindings/go")
# A folder with a go.mod of its own is another module.
nested = [path.parent for path in source.rglob("go.mod") if path.parent != source]
kept = {".go", ".c", ".h", ".md", ".mod", ".toml"}
files = [
    path
    for path in sorted(source.rglob("*"))
    if path.is_file() and not any(folder in path.parents for folder in nested)
    and (path.suffix in kept or path.name == "libgatepost.a")
]
files += [pathlib.Path("LICENSE-APACHE"), pathlib.Path("LICENSE-MIT")]
folder.mkdir(parents=True, exist_ok=True)
when = time.gmtime(seconds)
new = folder / f"{version}.zip.new"
with zipfile.ZipFile(new, "w", zipfile.ZIP_DEFLATED) as archive:
    for path in files:
        name = path.relative_to(source) if source in path.parents else path
        entry = zipfile.ZipInfo(f"{module}@{version}/{name.as_posix()}", when[:6])
        entry.compress_type = zipfile.ZIP_DEFLATED
        archive.writestr(entry, path.read_bytes())
new.rename(folder / f"{version}.zip")
(folder / f"{version}.mod").write_bytes((source / "go.mod").read_bytes())
(folder / f"{version}.info").write_text(json.dumps({"Version": version, "Time": time.strftime("%Y-%m-%dT%H:%M:%SZ", when)}))
(folder / "list").write_text(version + "\n")
END
platforms=$(cd bindings/go/lib && for one in */libgatepost.a; do echo "${one%/*}"; done | tr '\n' ' ')
echo "$module $version for ${platforms% }: $folder"
