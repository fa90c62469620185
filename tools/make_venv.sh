#!/usr/bin/env bash
# Make or renew an environment: make_venv.sh FOLDER [REQUIREMENTS]. Called by make when requirements.txt has changed.
# With a second file of requirements, what it names is installed too.
set -euo pipefail
venv=$1 more=${2:-}

fits() { "$1" -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1; }

if ! { [ -x "$venv/bin/python" ] && fits "$venv/bin/python"; }; then
  for python in python3.12 python3.13 python3.11 python3 python3.14 python; do
    if command -v "$python" >/dev/null && fits "$python"; then found=$python; break; fi
  done
  if [ -z "${found:-}" ]; then
    echo "No Python to build with: install Python 3.11 or newer with its venv module (Debian: apt-get install python3-venv)." >&2
    exit 1
  fi
  "$found" -m venv --clear "$venv"
fi

echo "Installing what requirements.txt${more:+ and $more} names into $venv ..."
pip() { "$venv/bin/python" -m pip --disable-pip-version-check --quiet "$@"; }
pip install -r requirements.txt ${more:+-r "$more"}
pip install --no-deps --no-build-isolation -e .
touch "$venv/.ready"
