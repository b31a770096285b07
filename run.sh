#!/bin/sh
# Runs the two commands of README.md: finds a Python, installs tox into an environment of its own and hands over
# to it; the checks themselves are in tox.ini.
#
#   sh run.sh                 the suite on what this machine has; the report is written to report/
#   sh run.sh tests [ARG...]  every check, two at a time; ARG... goes to tox (`sh run.sh tests -e lint`)
#
# Nothing is installed outside this folder, with two exceptions, which are made only on Debian, as root, and if they are
# missing: `apt-get install python3-venv` and, to execute impl_gpu's kernels without a GPU, `apt-get install g++`.
set -eu
cd "$(dirname "$0")"

task=${1:-report}
case "$task" in
report) set -- run -q -e report ;;
tests)
    shift
    # Two at a time, sharing the cores: one is installed, or waits for its last process, while the other computes.
    export SIDE_BY_SIDE=2
    set -- run-parallel --parallel "$SIDE_BY_SIDE" "$@"
    ;;
*)
    sed -n '5,6s/^# *//p' "$0" >&2
    exit 2
    ;;
esac

find_python() {
    for python in "${PYTHON:-python3}" python3.13 python3.12 python3.11; do
        if "$python" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' 2>/dev/null; then
            echo "$python"
            return
        fi
    done
    echo "run.sh: needs a Python 3.11, 3.12 or 3.13 (PYTHON=/path/to/python names one)" >&2
    exit 2
}

has_venv() {
    "$1" -c 'import ensurepip, venv' 2>/dev/null
}

has_compiler() {
    command -v "${CXX:-c++}" >/dev/null || command -v g++ >/dev/null
}

install() {
    if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
        echo "run.sh: $2: apt-get install $1" >&2
        apt-get update -qq
        DEBIAN_FRONTEND=noninteractive apt-get install -y -qq "$1" >/dev/null
    fi
}

python=$(find_python)
has_venv "$python" || install python3-venv "this Python has no venv module"
if ! has_venv "$python"; then
    echo "run.sh: this Python has no venv module; on Debian and Ubuntu: sudo apt install python3-venv" >&2
    exit 2
fi

has_compiler || install g++ "there is no C++ compiler" || :
if ! has_compiler; then
    echo "run.sh: there is no C++ compiler (CXX=/path/to/one names it), so impl_gpu runs on a GPU or not at all, and checks that" >&2
    echo "run.sh: execute its kernels on the processor will fail; on Debian and Ubuntu: sudo apt install g++" >&2
fi

launcher=.tox/.launcher
if ! "$launcher/bin/python" -c 'import tox' 2>/dev/null; then
    rm -rf "$launcher"
    "$python" -m venv "$launcher"
    "$launcher/bin/python" -m pip install --quiet --disable-pip-version-check --constraint requirements/ci.txt tox
fi

"$launcher/bin/tox" "$@"
if [ "$task" = report ]; then
    echo "The report: $PWD/report/index.html"
fi
