#!/usr/bin/env bash
# test.sh: everything that shows the Go module to work: formatting, vet, its tests under the race detector with Go's rules
# for pointers in C checked, the example services with chi and gin, the quick start of the README out of a module proxy,
# vendored too. Called by `make test`. GATEPOST_RELEASE names the folder with libgatepost.a, libgatepost.so and gatepost.
set -euo pipefail
top=$(cd "$(dirname "$0")/../.." && pwd)
cd "$top"
release=${GATEPOST_RELEASE:-${CARGO_TARGET_DIR:-target}/release}
GATEPOST_RELEASE=$(cd "$release" 2>/dev/null && pwd) || { echo "test.sh: $release is missing; run make build first" >&2; exit 1; }
export GATEPOST_RELEASE CGO_ENABLED=1
fail() {
    echo "bindings/go/test.sh: $1" >&2
    exit 1
}
command -v go >/dev/null || fail "Go 1.24 or newer is needed: https://go.dev/dl/"
version=$(go env GOVERSION)
[ "$(printf '%s\n' go1.24 "$version" | sort -V | head -n 1)" = go1.24 ] ||
    fail "Go 1.24 or newer is needed and this is $version: https://go.dev/dl/"
work=$(mktemp -d)
trap 'chmod -R u+w "$work"; rm -rf "$work"' EXIT

# Programs ask for the library by its SONAME; cargo does not make the link.
if [ ! -e "$GATEPOST_RELEASE/libgatepost.so.0" ]; then
    mkdir "$work/lib"
    for name in libgatepost.a libgatepost.so gatepost; do ln -s "$GATEPOST_RELEASE/$name" "$work/lib/$name"; done
    ln -s "$GATEPOST_RELEASE/libgatepost.so" "$work/lib/libgatepost.so.0"
    GATEPOST_RELEASE=$work/lib
fi

bindings/go/archive.sh

# What examples and benchmarks need comes from a module proxy, unless it is here already; go itself asks but once.
for module in bindings/go/examples benches/bindings/go; do
    for pause in 5 20 60 none; do
        (cd $module && go mod download) && break
        [ $pause != none ] || fail "the modules that $module needs cannot be fetched"
        sleep $pause
    done
done

echo "go: formatting and vet"
modules="bindings/go bindings/go/examples tests/bindings/go benches/bindings/go"
for module in $modules; do
    [ -e "$module/go.mod" ] || continue
    unformatted=$(gofmt -l "$module")
    [ -z "$unformatted" ] || fail "run gofmt -w on: $unformatted"
    (cd "$module" && go mod verify >/dev/null && go vet ./...) || fail "$module"
done
lines=$(find bindings/go -name '*.go' -o -name '*.[ch]' | grep -v /include/ | xargs wc -l | awk '$2 != "total" && $1 > 500')
[ -z "$lines" ] || fail "longer than 500 lines: $lines"

# -count=1: what the tests are about, the library, is nothing that go's cache of results knows of.
echo "go: the module, under the race detector"
(cd bindings/go && GODEBUG=cgocheck=1 go test -race -count=1 -timeout 60m -v . >"$work/tests" 2>&1) || { grep -v -e '^=== ' -e '^--- PASS' "$work/tests"; exit 1; }
passed=$(grep -c '^--- PASS' "$work/tests") skipped=$(grep -c '^--- SKIP' "$work/tests" || true)
echo "go: $passed passed, $skipped skipped"
grep -A 2 '^--- SKIP' "$work/tests" || true
tail -n 1 "$work/tests"

echo "go: net/http, chi and gin on real servers"
(cd bindings/go/examples && GODEBUG=cgocheck=1 go test -race -count=1 -timeout 60m ./services)

echo "go: the quick start of the README, from a module proxy"
bindings/go/module.sh "$work/proxy"
mkdir "$work/start"
block() { # LANGUAGE: the README's first block in it
    awk -v begin="\`\`\`$1" '$0 == "```" { if (inside) exit } inside { print } $0 == begin { inside = 1 }' bindings/go/README.md
}
block go >"$work/start/main.go"
block toml >"$work/start/orders.toml"
cd "$work/start"
echo 'four cups of green tea each noon' | "$GATEPOST_RELEASE/gatepost" user add alice --role clerk --policy orders.toml >/dev/null 2>&1
# The port of the README may be taken. A socket that is bound and does not listen holds another until this script ends: the
# program may listen there all the same (Go sets SO_REUSEADDR), and nobody else is given it meanwhile.
coproc holder { exec python3 -c 'import socket, sys
s = socket.socket()
s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
s.bind(("127.0.0.1", 0))
print(s.getsockname()[1], flush=True)
sys.stdin.read()'; }
read -r port <&"${holder[0]}"
sed -i "s/127\.0\.0\.1:8080/127.0.0.1:$port/" main.go
go mod init example.com/start 2>/dev/null
# Another module beside it, which only the next proxy has: what the examples have fetched.
modules=$(cd "$top/bindings/go/examples" && go env GOMODCACHE)
chi=$(cd "$top/bindings/go/examples" && go list -m -f '{{.Path}}@{{.Version}}' github.com/go-chi/chi/v5)
cp "$top/bindings/go/examples/go.sum" .
export GOPROXY="file://$work/proxy,file://$modules/cache/download,off" GONOSUMDB=gatepost.invalid GOMODCACHE="$work/modules"
go get gatepost.invalid/gatepost@latest "$chi" >/dev/null 2>&1 || fail "go get finds nothing in the module proxy"
go build -o start .
GOMODCACHE="$work/elsewhere" go build -o start . || fail "it does not build on another machine, with nothing in its cache"

echo "go: the module proxy after a change"
held() { go list -m -f '{{.Version}}' gatepost.invalid/gatepost; }
first=$(held)
(cd "$top" && bindings/go/module.sh "$work/proxy" >/dev/null)
go get gatepost.invalid/gatepost@latest >/dev/null 2>&1
[ "$(held)" = "$first" ] || fail "the same content has another version: $first, $(held)"
mkdir -p "$work/changed/bindings/c" "$work/changed/tests/abi" "$work/changed/include"
(cd "$top" && cp Cargo.toml LICENSE-* "$work/changed" && cp -r bindings/go "$work/changed/bindings" &&
    cp bindings/c/archive.sh "$work/changed/bindings/c" && cp tests/abi/symbols.txt "$work/changed/tests/abi" &&
    cp include/gatepost.h "$work/changed/include")
printf '\n// Changed is what a pull brought.\nconst Changed = true\n' >>"$work/changed/bindings/go/version.go"
sleep 1 # the time in a version has seconds
"$work/changed/bindings/go/module.sh" "$work/proxy" >/dev/null
printf 'package main\n\nimport "gatepost.invalid/gatepost"\n\nvar _ = gatepost.Changed\n' >changed.go
if go build -o changed . 2>/dev/null; then fail "what is built says nothing of the change"; fi
go get gatepost.invalid/gatepost@latest >/dev/null 2>&1
[ "$(held)" != "$first" ] || fail "changed content has the same version: $first"
go build -o changed . || fail "after a change the module does not build, or is stale"
rm changed.go
go get "gatepost.invalid/gatepost@$first" >/dev/null 2>&1 && go build -o start . || fail "the version from before the change is gone"

echo "go: beside a clone, and with the shared library below a prefix of one's own"
mkdir "$work/beside"
cp main.go "$work/beside"
(cd "$work/beside" && go mod init example.com/beside 2>/dev/null && go mod edit -replace "gatepost.invalid/gatepost=$top/bindings/go" &&
    go mod tidy 2>/dev/null && go build -o beside .) || fail "-replace as the README has it does not build"
mkdir -p "$work/prefix/lib/pkgconfig"
ln -s "$GATEPOST_RELEASE/libgatepost.so" "$work/prefix/lib/libgatepost.so"
ln -s "$GATEPOST_RELEASE/libgatepost.so" "$work/prefix/lib/libgatepost.so.0"
printf 'Name: gatepost\nDescription: under test\nVersion: 0\nLibs: -L%s/lib -lgatepost\nCflags: -I%s/include\n' "$work/prefix" "$top" \
    >"$work/prefix/lib/pkgconfig/gatepost.pc"
(cd "$work/beside" && PKG_CONFIG_PATH="$work/prefix/lib/pkgconfig" go build -tags gatepost_shared -ldflags "-r $work/prefix/lib" -o shared .)
# As a whole first: ldd fails where grep -q has seen enough.
found=$(ldd "$work/beside/shared")
grep -q "libgatepost.so.0 => $work/prefix/lib/" <<<"$found" || fail "the program does not find the library below its prefix"

go mod vendor
go build -mod=vendor -o vendored . || fail "the vendored module does not build"
./vendored &
server=$!
trap 'kill $server 2>/dev/null || true; chmod -R u+w "$work"; rm -rf "$work"' EXIT
end=$((SECONDS + 120))
until curl -s -o /dev/null --max-time 60 "http://127.0.0.1:$port/"; do
    [ $SECONDS -lt $end ] && kill -0 $server 2>/dev/null || fail "the quick start does not answer"
    sleep 0.1
done
said=$(curl -s --max-time 180 -u 'alice:four cups of green tea each noon' "http://127.0.0.1:$port/orders/7")
[ "$said" = "order 7 for alice" ] || fail "the quick start answers: $said"
said=$(curl -s --max-time 180 -o /dev/null -w '%{http_code}' "http://127.0.0.1:$port/orders/7")
[ "$said" = 401 ] || fail "the quick start answers without credentials: $said"
kill $server
wait $server 2>/dev/null || true
echo "go: the quick start works"
