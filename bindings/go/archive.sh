#!/usr/bin/env bash
# archive.sh: completes the module: the static archive of this machine's platform below lib/, and the header below
# include/. Neither is committed. GATEPOST_RELEASE names the folder with libgatepost.a (default: target/release).
set -euo pipefail
cd "$(dirname "$0")/../.."
release=${GATEPOST_RELEASE:-${CARGO_TARGET_DIR:-target}/release}
module=bindings/go
case $(uname -s)-$(uname -m) in
Linux-x86_64) platform=linux_amd64 ;;
Linux-aarch64) platform=linux_arm64 ;;
*) echo "archive.sh: no static archive is made for $(uname -s) on $(uname -m); build with -tags gatepost_shared" >&2; exit 1 ;;
esac
[ -e "$release/libgatepost.a" ] || { echo "archive.sh: $release/libgatepost.a is missing; run make build first" >&2; exit 1; }

# Several may do this at once, and a build may read it meanwhile: whole files are put in place by rename.
archive=$module/lib/$platform/libgatepost.a
source=$(realpath "$release/libgatepost.a")
stamp=$(stat -c '%n %s %Y' "$source" tests/abi/symbols.txt bindings/c/archive.sh | sha256sum)
if [ ! -e "$archive" ] || [ "$(cat "$archive.of" 2>/dev/null || true)" != "$stamp" ]; then
    new=$(mktemp "$archive.XXXXXX")
    trap 'rm -f "$new"' EXIT
    bindings/c/archive.sh "$source" tests/abi/symbols.txt "$new"
    chmod 644 "$new"
    mv -f "$new" "$archive"
    echo "$stamp" >"$archive.of"
fi
if ! cmp -s include/gatepost.h "$module/include/gatepost.h"; then
    cp include/gatepost.h "$module/include/gatepost.h.$$"
    mv -f "$module/include/gatepost.h.$$" "$module/include/gatepost.h"
fi
