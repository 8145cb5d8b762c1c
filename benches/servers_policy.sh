#!/usr/bin/env bash
# Sourced by benches/servers_nginx.sh and benches/servers_apache.sh: the policy that both are measured with, its keys and
# the password of its people. Wants $work, a folder; sets $policy and $password.
# shellcheck disable=SC2034,SC2154 # both are the caller's
cat >"$work/orders.toml" <<'POLICY'
[engine]
name = "Orders"
state = "orders.db"
schemes = ["bearer", "api-key", "basic"]
[identity]
subject = "X-Auth-Subject"
roles = "X-Auth-Roles"
[[issuer]]
name = "accounts"
issuer = "https://accounts.example.com"
audience = ["orders"]
algorithms = ["HS256"]
keys = { secret_file = "accounts.key", encoding = "hex" }
claims = { subject = "sub", roles = "roles" }
[[signer]]
name = "own"
issuer = "https://orders.example.com"
audience = ["orders"]
algorithm = "ES256"
key = { file = "signing.pem" }
lifetime = "1h"
[[role]]
name = "clerk"
permissions = ["orders:read"]
[[route]]
path = "/orders/{*rest}"
require = { permission = "orders:read" }
[[route]]
path = "/pub/{*rest}"
access = "public"
POLICY
policy=$work/orders.toml
(umask 077
    openssl rand -hex 32 >"$work/accounts.key"
    openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out "$work/signing.pem" 2>/dev/null)
password='four cups of green tea each noon'
