#!/usr/bin/env bash
# install.sh install|uninstall: puts what `make build` made below $DESTDIR$PREFIX, or takes it away again.
# PREFIX (default /usr/local), DESTDIR, and BINDIR, LIBDIR, INCLUDEDIR, DATADIR, MANDIR and ZSHDIR where they differ.
set -euo pipefail
top=$(cd "$(dirname "$0")/../.." && pwd)
cd "$top"
what=${1:-install}

PREFIX=${PREFIX:-/usr/local}
DESTDIR=${DESTDIR:-}
BINDIR=${BINDIR:-$PREFIX/bin}
LIBDIR=${LIBDIR:-$PREFIX/lib}
INCLUDEDIR=${INCLUDEDIR:-$PREFIX/include}
DATADIR=${DATADIR:-$PREFIX/share}
MANDIR=${MANDIR:-$DATADIR/man}
ZSHDIR=${ZSHDIR:-$DATADIR/zsh/site-functions}
for folder in "$PREFIX" "$BINDIR" "$LIBDIR" "$INCLUDEDIR" "$DATADIR" "$MANDIR" "$ZSHDIR"; do
    case $folder in
    /*) ;;
    *) echo "install: $folder is no absolute path; write for example PREFIX=/usr/local" >&2; exit 1 ;;
    esac
    case $folder in
    *[!A-Za-z0-9/._+~-]*) echo "install: $folder has a character that build tools trip over" >&2; exit 1 ;;
    esac
done

built=${CARGO_TARGET_DIR:-target}
release=${GATEPOST_RELEASE:-$built/release}
dist=${GATEPOST_DIST:-$built/dist}
[ -e "$release/libgatepost.so" ] || { echo "install: $release/libgatepost.so is missing; run make build first" >&2; exit 1; }
for file in "$dist/libgatepost.a" "$dist/gatepost"; do
    [ -e "$file" ] || { echo "install: $file is missing; run bindings/c/dist.sh first, as make build does" >&2; exit 1; }
done

version=$(sed -n 's/^version = "\(.*\)"/\1/p' Cargo.toml | head -n 1)
abi=$(sed -n 's/^const ABI: u32 = \([0-9]*\);/\1/p' build.rs)
cmake=$LIBDIR/cmake/gatepost

fill() { # TEMPLATE: the template with its places filled in
    sed -e "s|@PREFIX@|$PREFIX|g" -e "s|@LIBDIR@|$LIBDIR|g" -e "s|@INCLUDEDIR@|$INCLUDEDIR|g" \
        -e "s|@VERSION@|$version|g" -e "s|@MAJOR@|${version%%.*}|g" -e "s|@ABI@|$abi|g" \
        -e "s|@TO_LIBDIR@|$(realpath -m --relative-to="$cmake" "$LIBDIR")|g" \
        -e "s|@TO_INCLUDEDIR@|$(realpath -m --relative-to="$cmake" "$INCLUDEDIR")|g" \
        -e "s|@POINTER@|$(($(getconf LONG_BIT) / 8))|g" "$1"
}

# Every file of an installation, as: kind, mode, target, source. One list serves both ways.
listing() {
    local page
    echo "file 755 $BINDIR/gatepost $dist/gatepost"
    echo "file 644 $LIBDIR/libgatepost.so.$version $release/libgatepost.so"
    echo "link - $LIBDIR/libgatepost.so.$abi libgatepost.so.$version"
    echo "link - $LIBDIR/libgatepost.so libgatepost.so.$abi"
    echo "file 644 $LIBDIR/libgatepost.a $dist/libgatepost.a"
    echo "file 644 $INCLUDEDIR/gatepost.h include/gatepost.h"
    echo "file 644 $INCLUDEDIR/gatepost.hpp bindings/cpp/gatepost.hpp"
    for page in bindings/cpp/gatepost/*.hpp; do
        echo "file 644 $INCLUDEDIR/gatepost/${page##*/} $page"
    done
    echo "fill 644 $LIBDIR/pkgconfig/gatepost.pc bindings/c/gatepost.pc.in"
    echo "fill 644 $cmake/gatepost-config.cmake bindings/c/gatepost-config.cmake.in"
    echo "fill 644 $cmake/gatepost-config-version.cmake bindings/c/gatepost-config-version.cmake.in"
    for page in "$dist"/man/*.1; do
        echo "file 644 $MANDIR/man1/${page##*/} $page"
    done
    echo "file 644 $DATADIR/bash-completion/completions/gatepost $dist/completions/gatepost.bash"
    echo "file 644 $ZSHDIR/_gatepost $dist/completions/_gatepost"
    echo "file 644 $DATADIR/fish/vendor_completions.d/gatepost.fish $dist/completions/gatepost.fish"
    # There is no folder docs/ where it goes.
    echo "page 644 $DATADIR/doc/gatepost/README.md README.md"
    for page in LICENSE-APACHE LICENSE-MIT CHANGELOG.md docs/*.md; do
        echo "file 644 $DATADIR/doc/gatepost/${page##*/} $page"
    done
    for page in THIRD-PARTY.txt gatepost.cdx.json; do
        echo "file 644 $DATADIR/doc/gatepost/$page $dist/$page"
    done
    for page in docs/*.schema.json; do
        echo "file 644 $DATADIR/gatepost/${page##*/} $page"
    done
}

case $what in
install)
    listing | while read -r kind mode target source; do
        mkdir -p "$DESTDIR${target%/*}"
        case $kind in
        # Put in place by rename: a program that runs keeps the file that it has.
        file)
            install -m "$mode" "$source" "$DESTDIR$target.new"
            mv -f "$DESTDIR$target.new" "$DESTDIR$target"
            ;;
        fill)
            fill "$source" >"$DESTDIR$target.new"
            chmod "$mode" "$DESTDIR$target.new"
            mv -f "$DESTDIR$target.new" "$DESTDIR$target"
            ;;
        page)
            sed -e "s|](docs/|](|g" -e "s|](include/gatepost.h)|]($INCLUDEDIR/gatepost.h)|g" "$source" >"$DESTDIR$target.new"
            chmod "$mode" "$DESTDIR$target.new"
            mv -f "$DESTDIR$target.new" "$DESTDIR$target"
            ;;
        link) ln -sfn "$source" "$DESTDIR$target" ;;
        esac
    done
    echo "installed Gatepost $version below $DESTDIR$PREFIX"
    if [ -z "$DESTDIR" ]; then
        as_root="as root, run ldconfig; or, "
        if [ "$(id -u)" -eq 0 ]; then
            ldconfig
            as_root=
        fi
        if ! ldconfig -p 2>/dev/null | grep -F "$LIBDIR/libgatepost.so" >/dev/null; then
            echo "${as_root}for a private prefix, set PKG_CONFIG_PATH=$LIBDIR/pkgconfig, and LD_LIBRARY_PATH=$LIBDIR or link with -Wl,-rpath,$LIBDIR"
        fi
    fi
    ;;
uninstall)
    listing | while read -r _ _ target _; do
        rm -f "$DESTDIR$target"
    done
    # Folders of our own; shared ones stay.
    for folder in "$cmake" "$INCLUDEDIR/gatepost" "$DATADIR/doc/gatepost" "$DATADIR/gatepost"; do
        rmdir "$DESTDIR$folder" 2>/dev/null || true
    done
    echo "took Gatepost $version away from $DESTDIR$PREFIX"
    ;;
*)
    echo "usage: install.sh install|uninstall" >&2
    exit 1
    ;;
esac
