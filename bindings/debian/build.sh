#!/usr/bin/env bash
# build.sh: Debian packages of what `make build` made, in target/debian. Needs debhelper.
set -euo pipefail
cd "$(dirname "$0")/../.."
top=$PWD
built=${CARGO_TARGET_DIR:-$top/target}
command -v dh >/dev/null || { echo "build.sh: debhelper is missing: apt-get install debhelper" >&2; exit 1; }
version=$(sed -n 's/^version = "\(.*\)"/\1/p' Cargo.toml | head -n 1)

work=$built/debian/gatepost-$version
rm -rf "$built/debian"
mkdir -p "$work/debian/source"
cp bindings/debian/{control,rules,copyright,*.install} "$work/debian/"
chmod +x "$work/debian/rules"
echo '3.0 (native)' >"$work/debian/source/format"
# The date of the last change, so that the same sources give the same package.
when=$(git log -1 --format=%cd --date=format:'%a, %d %b %Y %H:%M:%S %z' 2>/dev/null || date -R)
maintainer=$(sed -n 's/^Maintainer: //p' bindings/debian/control)
cat >"$work/debian/changelog" <<END
gatepost ($version) unstable; urgency=medium

  * See CHANGELOG.md.

 -- $maintainer  $when
END
cd "$work"
GATEPOST_SOURCE=$top CARGO_TARGET_DIR=$built dpkg-buildpackage -b -us -uc -nc >"$built/debian/build.log" 2>&1 ||
    { tail -n 40 "$built/debian/build.log" >&2; exit 1; }
ls "$built"/debian/*.deb
