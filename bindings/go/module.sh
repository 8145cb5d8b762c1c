#!/usr/bin/env bash
# module.sh [FOLDER] [VERSION]: the module as files of a Go module proxy, with the archives that are below lib/, in FOLDER
# (default: target/go). `GOPROXY=file://FOLDER,…` then serves `go get gatepost.invalid/gatepost@latest`, and so does any
# web server that hands these files out. Left out, VERSION is v0.1.0-dev.TIME-DIGEST: caches and go.sum take what has a
# version for unchangeable, so that other content needs another one. The same content keeps the one it has in FOLDER.
set -euo pipefail
cd "$(dirname "$0")/../.."
folder=${1:-${CARGO_TARGET_DIR:-target}/go}
bindings/go/archive.sh
next=v$(sed -n 's/^version = "\(.*\)"/\1/p' Cargo.toml | head -n 1)
module=$(sed -n 's/^module //p' bindings/go/go.mod)
mkdir -p "$folder"
version=$(python3 - "$folder/$module/@v" "$module" "$next" "${2:-}" "${SOURCE_DATE_EPOCH:-$(date +%s)}" <<'END'
import hashlib, json, pathlib, sys, time, zipfile

folder, module, following, version, seconds = pathlib.Path(sys.argv[1]), *sys.argv[2:5], int(sys.argv[5])
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
contents = {(path.relative_to(source) if source in path.parents else path).as_posix(): path.read_bytes() for path in files}
folder.mkdir(parents=True, exist_ok=True)
when = time.gmtime(seconds)
if not version:
    digest = hashlib.sha256()
    for name, content in contents.items():
        digest.update(f"{name}\0{len(content)}\0".encode() + content)
    short = digest.hexdigest()[:12]
    before = sorted(path.stem for path in folder.glob(f"{following}-dev.*-{short}.zip"))
    version = before[-1] if before else f"{following}-dev.{time.strftime('%Y%m%d%H%M%S', when)}-{short}"
new = folder / f"{version}.zip.new"
with zipfile.ZipFile(new, "w", zipfile.ZIP_DEFLATED) as archive:
    for name, content in contents.items():
        entry = zipfile.ZipInfo(f"{module}@{version}/{name}", when[:6])
        entry.compress_type = zipfile.ZIP_DEFLATED
        archive.writestr(entry, content)
new.rename(folder / f"{version}.zip")
(folder / f"{version}.mod").write_bytes((source / "go.mod").read_bytes())
(folder / f"{version}.info").write_text(json.dumps({"Version": version, "Time": time.strftime("%Y-%m-%dT%H:%M:%SZ", when)}))
# The newest alone, so that it is the latest whatever lay here before; older ones can still be had by name.
(folder / "list").write_text(version + "\n")
print(version)
END
)
platforms=$(cd bindings/go/lib && for one in */libgatepost.a; do echo "${one%/*}"; done | tr '\n' ' ')
echo "$module $version for ${platforms% }: $folder"
