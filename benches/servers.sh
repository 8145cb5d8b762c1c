#!/usr/bin/env bash
# nginx and Apache httpd with Gatepost, beside their own authentication: benches/servers_nginx.sh, benches/servers_apache.sh.
# SECONDS_EACH, CONNECTIONS and ROUNDS as there.
set -euo pipefail
cd "$(dirname "$0")/.."
if [ -z "${GATEPOST_RELEASE:-}" ]; then
    make --no-print-directory --silent build
    GATEPOST_RELEASE=${CARGO_TARGET_DIR:-$PWD/target}/release
fi
export GATEPOST_RELEASE
benches/servers_nginx.sh
echo
benches/servers_apache.sh
