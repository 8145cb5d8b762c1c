#!/usr/bin/env bash
# mint.sh KEYFILE SUBJECT ROLE SECONDS: an HS256 token (RFC 7515) of the demo's issuer, good for SECONDS from now; a
# negative number makes one that has expired already.
# KEYFILE holds the key in hexadecimal digits, as `encoding = "hex"` reads it.
set -euo pipefail
if [ $# -ne 4 ]; then
    echo "usage: mint.sh KEYFILE SUBJECT ROLE SECONDS" >&2
    exit 1
fi
key_file=$1 subject=$2 role=$3 seconds=$4
secret=$(tr -d '\r\n' <"$key_file")
case $secret in
'' | *[!0-9A-Fa-f]*)
    echo "mint.sh: $key_file does not hold a key in hexadecimal digits; make one with: openssl rand -hex 32" >&2
    exit 1
    ;;
esac

base64url() { openssl base64 -A | tr '+/' '-_' | tr -d '='; }

now=$(date +%s)
header='{"alg":"HS256","typ":"at+jwt"}'
claims=$(printf '{"iss":"https://accounts.example.com","aud":"orders","sub":"%s","roles":["%s"],"iat":%d,"exp":%d}' \
    "$subject" "$role" "$((now - 600))" "$((now + seconds))")
signed="$(printf %s "$header" | base64url).$(printf %s "$claims" | base64url)"
mac=$(printf %s "$signed" | openssl dgst -sha256 -mac HMAC -macopt "hexkey:$secret" -binary | base64url)
echo "$signed.$mac"
