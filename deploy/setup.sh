# Puts in place what the project needs, and does nothing where it is there already. A library: `source deploy/setup.sh`, then `setup WORD...`:
#
#   setup python         .venv with the project and its dependencies
#   setup python-test    the same with what the tests need
#   setup compiler       gcc and Python's headers: to compile the engine
#   setup compiled       build/compiled: a copy of the checkout whose engine is compiled, for measurements
#   setup compiled-test  the same, made in less time and not quite as fast
#   setup kafka          Java, and Kafka's jars (Maven fetches them once)
#   setup tools          promtool, amtool, their servers, docker-compose: for the tests of deploy/
#   setup browser        Chromium: for the tests of the wall
#
# On Debian and Ubuntu, as root, missing packages are installed by apt-get; otherwise the list of what is missing is printed.
# Nothing is started, and outside of the checkout and ~/.cache/ticket-kpis only those packages are touched.

set -euo pipefail

project=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cache=${XDG_CACHE_HOME:-$HOME/.cache}/ticket-kpis
tools=$cache/tools
PATH=$PATH:$tools/usr/bin

say() { echo "setup: $*" >&2; }
die() { say "$*"; exit 1; }
have() { command -v "$1" >/dev/null 2>&1; }

setup() {
  local word packages
  packages=$(for word in "$@"; do missing_packages "$word"; done | sort -u | tr '\n' ' ')
  if [ -n "$packages" ]; then install_packages $packages; fi
  for word in "$@"; do
    case $word in
      python) make_venv . ;;
      python-test) make_venv '.[test]' ;;
      compiled) make_compiled 3 ;;
      compiled-test) make_compiled 1 ;;
      kafka) fetch_kafka ;;
      tools) unpack_tools ;;
    esac
  done
}

# ---- Debian packages ---------------------------------------------------------------------------------------------------------------------

missing_packages() {
  case $1 in
    python | python-test) if ! find_python >/dev/null; then echo python3; echo python3-venv; fi ;;
    compiler | compiled | compiled-test)
      if ! have cc; then echo gcc; echo libc6-dev; fi
      if ! python_headers; then echo "$(basename "$(find_python || echo python3)")-dev"; fi
      missing_packages python
      ;;
    kafka)
      if ! java_is_new_enough; then echo default-jre-headless; fi
      if [ ! -d "$(kafka_folder)" ] && ! have mvn; then echo maven; fi
      if ! have python3; then echo python3; fi
      ;;
    tools) if ! have docker-compose && ! docker compose version >/dev/null 2>&1; then echo docker-compose; fi ;;
    browser) if ! have chromium && ! have chromium-browser && ! have google-chrome; then echo chromium; fi ;;
    *) die "unknown word: $1" ;;
  esac
}

install_packages() {
  if ! have apt-get || [ "$(id -u)" != 0 ]; then
    say "missing: $*"
    if have apt-get; then die "install them as root, then run this again: apt-get install --no-install-recommends $*"; fi
    die "those are Debian's names; install their equals on this system, then run this again"
  fi
  say "installing $*"
  refresh_package_lists
  local log
  log=$(mktemp)
  if ! DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$@" >"$log" 2>&1; then
    tail -n 20 "$log" >&2
    die "apt-get could not install: $*"
  fi
  rm "$log"
}

refresh_package_lists() {
  if [ -z "${package_lists_are_fresh:-}" ]; then apt-get update -qq >/dev/null 2>&1 || say "apt-get update failed; trying with the lists at hand"; fi
  package_lists_are_fresh=yes
}

# ---- Python ------------------------------------------------------------------------------------------------------------------------------

# The newest Python >= 3.11 that can make a virtual environment with pip in it.
find_python() {
  local candidate
  for candidate in python3.13 python3.12 python3.11 python3; do
    if "$candidate" -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
      command -v "$candidate"
      return
    fi
  done
  return 1
}

# make_venv WHAT: install the checkout, editable. A stamp of all that decides the result makes the next call quick.
make_venv() {
  local venv=$project/.venv stamp python
  stamp="$1 $project $(sha256sum <"$project/pyproject.toml")"
  if [ -x "$venv/bin/ticket-kpis" ] && grep -qxF -e "$stamp" -e "${stamp/./.[test]}" "$venv/stamp" 2>/dev/null; then return; fi
  python=$(find_python) || die "Python 3.11 or newer with venv is needed, and this system's packages have none: $(python3 --version 2>&1)"
  say "installing the project into .venv ($("$python" --version))"
  if [ ! -x "$venv/bin/python" ]; then "$python" -m venv "$venv"; fi
  rm -f "$venv/stamp"
  (cd "$project" && "$venv/bin/python" -m pip install -q --disable-pip-version-check -e "$1") || die "pip could not install the project (its message is above)"
  echo "$stamp" >"$venv/stamp"
}

# Whether C code can be compiled for the Python that .venv has, or will have.
python_headers() {
  local python
  python=$(find_python) &&
    "$python" -c 'import os, sys, sysconfig; sys.exit(not os.path.exists(os.path.join(sysconfig.get_paths()["include"], "Python.h")))'
}

# make_compiled LEVEL: build/compiled anew. What was compiled before is taken from the cache.
make_compiled() {
  make_venv '.[test]'
  say "compiling the engine into build/compiled (a minute or two, unless it was compiled before)"
  "$project/.venv/bin/python" "$project/deploy/compiled.py" --level "$1" "$project/build/compiled"
}

# ---- Kafka -------------------------------------------------------------------------------------------------------------------------------

java_is_new_enough() {
  local version
  version=$(java -version 2>&1 | sed -n 's/.* version "\([0-9]*\).*/\1/p') && [ "${version:-0}" -ge 17 ]
}

kafka_folder() { echo "$cache/kafka-$(sed -n 's|.*<kafka.version>\(.*\)</kafka.version>.*|\1|p' "$project/deploy/kafka/pom.xml")"; }

fetch_kafka() {
  if [ -d "$(kafka_folder)" ]; then return; fi
  say "fetching Kafka's jars (Maven)"
  "$project/deploy/kafka/local" jars >/dev/null
}

# ---- Tools of operations -----------------------------------------------------------------------------------------------------------------

# Two programs are wanted, not two services: so their packages are unpacked into the cache, not installed (this needs no root either).
unpack_tools() {
  unpack_tool promtool prometheus
  unpack_tool amtool prometheus-alertmanager
  if [ -x "$tools/usr/bin/prometheus-alertmanager" ]; then let_alertmanager_start; fi
}

# Debian's Alertmanager wants its default templates where the package would install them. Unpacked, it is told to look below the folder in which
# it is started ($tools/usr): a path of the same length takes the place of the other one. Does nothing where that was done.
let_alertmanager_start() {
  if [ -d /usr/share/prometheus/alertmanager ]; then return; fi
  sed -i 's#/usr/share/prometheus/alertmanager\([^/]\)#share/prometheus/////alertmanager/\1#' "$tools/usr/bin/prometheus-alertmanager"
}

unpack_tool() {
  if have "$1"; then return; fi
  if ! have apt-get; then die "$1 is missing: put it on the PATH"; fi
  say "unpacking $1"
  if [ "$(id -u)" = 0 ]; then refresh_package_lists; fi
  local folder
  folder=$(mktemp -d)
  (cd "$folder" && apt-get download -qq "$2" >/dev/null 2>&1) || die "apt-get could not download $2, which holds $1"
  mkdir -p "$tools"
  dpkg-deb -x "$folder"/*.deb "$tools"
  rm -r "$folder"
}
