#!/usr/bin/env bash
# Installs what Avicenne needs on Debian or Ubuntu: PC/SC packages with apt where that is allowed, and the locked
# Python environment in .venv. Without root it says what is missing and goes on: virtual cards then answer in process.
# Usage: scripts/install.sh [demo|test]
set -euo pipefail
cd "$(dirname "$0")/.."
purpose=${1:-demo}
UV_VERSION=0.13.9

packages=(pcscd vsmartcard-vpcd libpcsclite-dev gcc)
# pyscard is built here: it needs this interpreter's headers, which Debian keeps apart.
if ! "${PYTHON:-python3}" -c 'import os, sys, sysconfig; sys.exit(not os.path.exists(os.path.join(sysconfig.get_paths()["include"], "Python.h")))'; then
  packages+=(python3-dev)
fi
if [ "$purpose" = test ]; then
  packages+=(opensc opensc-pkcs11 openssl fonts-dejavu-core)
fi

say() { printf '\033[2m· %s\033[0m\n' "$*" >&2; }

missing_packages() {
  local package
  for package in "${packages[@]}"; do
    dpkg-query -W -f='${Status}' "$package" 2>/dev/null | grep -q 'ok installed' || printf '%s ' "$package"
  done
}

install_packages() {
  command -v apt-get >/dev/null || { say "pas d'apt ici : les cartes virtuelles répondront dans le programme"; return 0; }
  local missing; missing=$(missing_packages)
  [ -n "$missing" ] || return 0
  local root=""
  if [ "$(id -u)" != 0 ]; then
    if command -v sudo >/dev/null && sudo -n true 2>/dev/null; then root="sudo"
    elif command -v sudo >/dev/null && [ -t 0 ]; then root="sudo"
    else say "pas de droits pour installer : $missing"; return 0; fi
  fi
  say "paquets système : $missing"
  # shellcheck disable=SC2086
  $root env DEBIAN_FRONTEND=noninteractive sh -c "(apt-get install -qq -y --no-install-recommends $missing || (apt-get update -qq && apt-get install -qq -y --no-install-recommends $missing)) >/tmp/avicenne-apt.log 2>&1" \
    || { say "apt a échoué (voir /tmp/avicenne-apt.log) : on continue sans"; return 0; }
}

install_python() {
  local python=${PYTHON:-python3}
  "$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { say "il faut Python 3.11 ou plus récent"; exit 69; }
  if [ ! -x .venv/bin/python ]; then
    say "environnement Python"
    "$python" -m venv .venv
  fi
  # uv comes from PyPI into the environment it then fills; --inexact lets it stay there.
  [ -x .venv/bin/uv ] || .venv/bin/python -m pip install -q --disable-pip-version-check "uv==$UV_VERSION"
  # Without bytecode the first start compiles every library: 1.4 s of imports instead of 0.6 s.
  export UV_COMPILE_BYTECODE=1
  local extras=()
  if [ -e /usr/include/PCSC/winscard.h ] || [ "$(uname)" = Darwin ]; then extras=(--extra pcsc); fi
  say "bibliothèques Python (verrouillées)"
  .venv/bin/uv sync --quiet --locked --inexact --all-groups "${extras[@]}" \
    || { say "pyscard ne se construit pas ici : sans lecteur PC/SC"; .venv/bin/uv sync --quiet --locked --inexact --all-groups; }
}

install_packages
install_python
touch .venv/.installed-"$purpose"
