#!/usr/bin/env bash
# docs.sh: the API reference, of the docstrings, in target/docs/python.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
target=$(realpath -m "${CARGO_TARGET_DIR:-$here/../../target}")
venv=$("$here/setup.sh")
rm -rf "$target/docs/python"
# Django's middleware is read without a project.
cd "$target/python"
"$venv/bin/pdoc" --docformat markdown --no-show-source -o "$target/docs/python" gatepost gatepost.asgi gatepost.wsgi \
    gatepost.web gatepost.errors gatepost.starlette gatepost.fastapi gatepost.flask gatepost.django gatepost.tokens
echo "$target/docs/python/gatepost.html"
