#!/usr/bin/env bash
# build.sh [--testing] [--asan] [-o FOLDER]: builds mod_gatepost.so with what apxs says of this httpd, into FOLDER
# (target/apache).
# build.sh install: puts it where httpd has its modules, below DESTDIR, and on Debian makes it known to a2enmod.
# APXS: another apxs. GATEPOST_RELEASE: the folder with libgatepost.so (target/release); left out for an installed
# library, which pkg-config then finds. RPATH=1: the module looks for the library in that folder.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
top=$(cd "$here/../.." && pwd)
target=${CARGO_TARGET_DIR:-$top/target}
folder=$target/apache
apxs=${APXS:-$(command -v apxs || command -v apxs2 || true)}

fail() {
    echo "bindings/apache: $1" >&2
    exit 1
}

[ -n "$apxs" ] || fail "apxs is missing; on Debian: apt-get install apache2-dev; elsewhere name it in APXS"
flags=() testing=() install=
while [ $# -gt 0 ]; do
    case $1 in
    --testing) testing=(-DGATEPOST_TESTING) ;;
    --asan) flags+=(-fsanitize=address -fno-omit-frame-pointer -g -O1) ;;
    -o)
        folder=$2
        shift
        ;;
    install) install=1 ;;
    *) fail "unknown: $1" ;;
    esac
    shift
done

if [ -n "$install" ]; then
    module=$folder/mod_gatepost.so
    [ -e "$module" ] || fail "$module is not there; run bindings/apache/build.sh first"
    modules=${DESTDIR:-}$("$apxs" -q LIBEXECDIR)
    install -d "$modules"
    install -m 644 "$module" "$modules/mod_gatepost.so.new"
    mv "$modules/mod_gatepost.so.new" "$modules/mod_gatepost.so"
    echo "installed $modules/mod_gatepost.so"
    available=${DESTDIR:-}/etc/apache2/mods-available
    if [ -d "$available" ] || [ -n "${DESTDIR:-}" ]; then
        install -d "$available"
        echo "LoadModule gatepost_module $("$apxs" -q LIBEXECDIR)/mod_gatepost.so" >"$available/gatepost.load"
        echo "installed $available/gatepost.load; run: a2enmod gatepost"
    else
        echo "add to the configuration: LoadModule gatepost_module modules/mod_gatepost.so"
    fi
    exit 0
fi

release=${GATEPOST_RELEASE:-$target/release}
if [ -e "$release/libgatepost.so" ]; then
    release=$(cd "$release" && pwd)
    library=(-L "$release" -lgatepost)
    [ -z "${RPATH:-}" ] || library+=("-Wl,-rpath,$release")
else
    read -r -a library <<<"$(pkg-config --libs gatepost 2>/dev/null || true)"
    [ ${#library[@]} -gt 0 ] || fail "there is no libgatepost.so in $release and none installed; run: make build"
fi
read -r -a server <<<"$("$apxs" -q CFLAGS) $("$apxs" -q EXTRA_CPPFLAGS) -I$("$apxs" -q INCLUDEDIR)"
if apr=$("$apxs" -q APR_CONFIG) && [ -x "$apr" ]; then
    read -r -a more <<<"$("$apr" --includes --cppflags)"
    server+=("${more[@]}")
fi
sources=()
for source in "$here"/*.c; do
    [ "$(basename "$source")" = testing.c ] && [ ${#testing[@]} -eq 0 ] || sources+=("$source")
done
mkdir -p "$folder"
# shellcheck disable=SC2086 # CFLAGS is a list
${CC:-cc} -shared -fPIC "${server[@]}" -std=gnu11 -O2 -Wall -Wextra -Werror=implicit -fvisibility=hidden \
    "${flags[@]}" "${testing[@]}" ${CFLAGS:-} -I "$top/include" "${sources[@]}" -o "$folder/mod_gatepost.so.$$" \
    -Wl,-z,relro,-z,now "${library[@]}" -ldl -pthread
mv "$folder/mod_gatepost.so.$$" "$folder/mod_gatepost.so" # at once: an httpd that restarts at this moment may load it
echo "built $folder/mod_gatepost.so"
