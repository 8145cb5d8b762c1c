#!/usr/bin/env bash
# build.sh [build|install|test]: the nginx module.
#
#   build    makes ngx_http_gatepost_module.so, in OUT (target/nginx); against Debian's nginx-dev, with the flags of
#            Debian's nginx, or against the source tree that NGX_SRC names, with the flags in NGX_FLAGS (--with-compat)
#   install  builds it and puts it below MODULES (Debian: /usr/lib/nginx/modules, and switched on by a file in
#            /etc/nginx/modules-enabled), with DESTDIR in front
#   test     builds it for the tests (OUT/test), where requests may set the clock and the peer: for nobody's use
#
# GATEPOST_INC and GATEPOST_LIB name the folders of gatepost.h and libgatepost.so; left out, those of this repository
# where `make build` was run, else what pkg-config finds. CFLAGS and LDFLAGS are used.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
top=$(cd "$here/../.." && pwd)
what=${1:-build}
target=$(realpath -m "${CARGO_TARGET_DIR:-$top/target}")
out=$(realpath -m "${OUT:-$target/nginx}")
debian=/usr/share/nginx/src
source=${NGX_SRC:-$debian}

fail() {
    echo "bindings/nginx/build.sh: $1" >&2
    exit 1
}

case $what in build | install | test) ;; *) fail "build, install or test, not $what" ;; esac
if [ "$what" = test ]; then
    out=$out/test
    export GATEPOST_TEST=1
fi
[ -x "$source/configure" ] || [ -x "$source/auto/configure" ] ||
    fail "$source is no source tree of nginx; install nginx-dev, or set NGX_SRC"

release=${GATEPOST_RELEASE:-$target/release}
if [ -z "${GATEPOST_INC:-}${GATEPOST_LIB:-}" ] && [ -e "$release/libgatepost.so" ]; then
    GATEPOST_INC=$top/include
    GATEPOST_LIB=$(realpath "$release")
    # An installed module finds the library where the system looks.
    [ "$what" = install ] || GATEPOST_RPATH=$GATEPOST_LIB
elif [ -z "${GATEPOST_INC:-}${GATEPOST_LIB:-}" ]; then
    pkg-config --exists gatepost 2>/dev/null || fail "libgatepost is neither built (make build) nor installed"
    GATEPOST_INC=$(pkg-config --variable=includedir gatepost)
    GATEPOST_LIB=$(pkg-config --variable=libdir gatepost)
fi
export GATEPOST_INC GATEPOST_LIB GATEPOST_RPATH=${GATEPOST_RPATH:-}

# Debian says itself with which flags its nginx was configured.
flags=(--with-compat --with-http_ssl_module --with-threads)
if [ -n "${NGX_FLAGS:-}" ]; then
    read -ra flags <<<"$NGX_FLAGS"
elif [ -e "$source/conf_flags" ]; then
    NGX_CONF_FLAGS=()
    # shellcheck disable=SC1091
    . "$source/conf_flags"
    flags=("${NGX_CONF_FLAGS[@]}")
fi

# nginx configures within its source tree: a copy, so that the original stays as it is.
tree=$out/tree
wanted=$(realpath "$source")
if [ "$(cat "$out/source" 2>/dev/null || true)" != "$wanted" ]; then
    rm -rf "$tree"
    mkdir -p "$out"
    cp -a "$wanted" "$tree"
    echo "$wanted" >"$out/source"
    rm -f "$out/configured"
fi
cd "$tree"
words=("${flags[@]}" "--with-cc-opt=-O2 -g -fstack-protector-strong -fPIC -Wall -Wextra -Wno-unused-parameter ${CFLAGS:-}"
    "--with-ld-opt=${LDFLAGS:-}" "--add-dynamic-module=$here")
# Only where something that it looks at has changed: it takes longer than the module itself.
wanted=$({ printf '%s\n' "${words[@]}" "$GATEPOST_INC" "$GATEPOST_LIB" "$GATEPOST_RPATH"; cat "$here/config"; } | sha256sum)
if [ "$(cat "$out/configured" 2>/dev/null || true)" != "$wanted" ]; then
    configure=./configure
    [ -x configure ] || configure=auto/configure
    "$configure" "${words[@]}" >"$out/configure.log" 2>&1 ||
        { tail -n 20 "$out/configure.log" >&2; fail "configure failed; all of it is in $out/configure.log"; }
    echo "$wanted" >"$out/configured"
fi
make --no-print-directory -f objs/Makefile modules >"$out/make.log" 2>&1 ||
    { grep -E "error|warning" "$out/make.log" >&2 || true; fail "the module does not compile; all of it is in $out/make.log"; }
cp objs/ngx_http_gatepost_module.so "$out/.new.so"
mv "$out/.new.so" "$out/ngx_http_gatepost_module.so" # a server that runs keeps the file that it has
echo "nginx module: $out/ngx_http_gatepost_module.so"

if [ "$what" = install ]; then
    modules=${DESTDIR:-}${MODULES:-/usr/lib/nginx/modules}
    install -D -m 644 "$out/ngx_http_gatepost_module.so" "$modules/ngx_http_gatepost_module.so"
    if [ -z "${MODULES:-}" ] && [ -d /etc/nginx/modules-enabled ]; then
        mkdir -p "${DESTDIR:-}/etc/nginx/modules-enabled"
        echo "load_module ${MODULES:-/usr/lib/nginx/modules}/ngx_http_gatepost_module.so;" \
            >"${DESTDIR:-}/etc/nginx/modules-enabled/50-mod-http-gatepost.conf"
    fi
    echo "installed: $modules/ngx_http_gatepost_module.so"
fi
