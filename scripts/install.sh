#!/usr/bin/env bash
# Prepares this machine for `nextflow run` without containers, and prints the shell lines that put it in reach:
#     eval "$(scripts/install.sh)"
#
#   scripts/install.sh              install what is missing; print the lines
#   scripts/install.sh --isolated   the same, and lines that keep the user's own Nextflow settings out (make demo, make test)
#   scripts/install.sh --nf-core    install nf-core's tools, which the tests use, by themselves; print their folder
#   scripts/install.sh --next-tools the same for AMBER, Binette, GTDB-Tk and dRep
#   scripts/install.sh --anvio      the same for anvi'o, which needs Python 3.10: PYTHON=python3.10
#   scripts/install.sh --clean      remove everything that it ever installed into its cache
#
# From the distribution (apt-get, if root or sudo asks no password): Java, minimap2, bwa, samtools, ps, and what it takes
# to install the rest. Into the cache, ${BINLOOM_CACHE:-${XDG_CACHE_HOME:-~/.cache}/binloom}, in folders named after what
# they pin: the Python environment (containers/torch and tests requirements.txt), MultiQC in one of its own
# (containers/report/requirements.txt), of which only the program comes to the PATH, and Nextflow
# (scripts/nextflow/pom.xml) unless the PATH has one that will do. PYTHON names the Python to use.
#
# Lines to eval go to standard output, all else to standard error.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

readonly NEXTFLOW_OLDEST=25.10                          # on the PATH; the copy from Maven is 25.04.4, with a launcher of ours
readonly JAVA_OLDEST=17 JAVA_NEWEST=24                  # what Nextflow 25.04 runs on
# The pinned requirements have wheels for these Pythons
readonly PYTHON_QUESTION='import os, sys
print(os.path.realpath(sys.executable))
sys.exit(not (3, 10) <= sys.version_info[:2] <= (3, 14))'
readonly REQUIREMENTS=(containers/torch/requirements.txt tests/requirements.txt)
readonly IMPORTS='torch, numpy, pandas, pysam, click, gfapy, jsonschema, pyhmmer, pyrodigal, umap, pytest, hypothesis, xdist'
readonly ENVIRONMENT_GB=9                               # the Python environment while it is being unpacked
# MultiQC needs other versions of packages than the stages do.
readonly REPORT_REQUIREMENTS=containers/report/requirements.txt
readonly REPORT_IMPORTS='multiqc, click'
readonly REPORT_GB=1
# nf-core's tools need other versions of packages than the pipeline does.
readonly NF_CORE_REQUIREMENTS=tests/nf-core/requirements.txt
readonly NF_CORE_IMPORTS='nf_core, check_jsonschema'
readonly NF_CORE_GB=1
# So do the tools that read what Binloom writes, and anvi'o needs others than they do.
readonly NEXT_TOOLS_REQUIREMENTS=tests/next_tools/requirements.txt
readonly NEXT_TOOLS_IMPORTS='cami_amber, binette.bin_manager, binette.contig_manager, drep, gtdbtk.main'
readonly NEXT_TOOLS_GB=2
readonly ANVIO_REQUIREMENTS=tests/anvio/requirements.txt
readonly ANVIO_IMPORTS='anvio.ccollections, anvio.profiler'
readonly ANVIO_GB=2

say() { printf 'binloom: %s\n' "$*" >&2; }
die() {
    say "$@"
    exit 1
}
has() { type -P "$1" >/dev/null; }

# What other environments leave behind must not steer this one; which index, proxy and certificates to use is left alone.
had_pythonpath=${PYTHONPATH:+yes}${PYTHONHOME:+yes}
unset PYTHONPATH PYTHONHOME VIRTUAL_ENV CONDA_PREFIX __PYVENV_LAUNCHER__
unset PIP_TARGET PIP_PREFIX PIP_ROOT PIP_CONSTRAINT PIP_REQUIREMENT PIP_DRY_RUN PIP_REQUIRE_VIRTUALENV PIP_PYTHON
unset UV_SYSTEM_PYTHON UV_CONSTRAINT UV_OVERRIDE UV_PROJECT_ENVIRONMENT
export PIP_USER=0 PIP_DISABLE_PIP_VERSION_CHECK=1

# --- the cache

had_home=${HOME:+yes}
if [[ -z $had_home ]]; then
    HOME=$( (getent passwd "$(id -u)" || true) | cut -d: -f6)
    export HOME=${HOME:-/nonexistent}
fi
CACHE=${BINLOOM_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/binloom}

clean() {
    rm -rf "$CACHE"/python-* "$CACHE"/nextflow-* "$CACHE"/own-nextflow
    say "emptied $CACHE"
}

# One installation at a time; the lock goes with the process.
open_cache() {
    if ! mkdir -p "$CACHE" 2>/dev/null || [[ ! -w $CACHE ]]; then
        die "cannot write to $CACHE: set BINLOOM_CACHE to a folder with ${ENVIRONMENT_GB} GB of free space"
    fi
    CACHE=$(cd "$CACHE" && pwd -P)
    if has flock; then
        exec 9>"$CACHE/lock"
        flock --nonblock 9 || {
            say 'waiting for another make that is installing'
            flock 9
        }
    fi
}

# key FILE|WORD...: a short hash of files and words
key() {
    local item
    for item in "$@"; do
        if [[ -f $item ]]; then cat "$item"; else printf '%s\n' "$item"; fi
    done | if has sha256sum; then sha256sum; else shasum -a 256; fi | cut -c1-16
}

# The caller's PATH less this cache and an activated Python environment
outer_path() {
    local folder path=
    local IFS=:
    for folder in $PATH; do
        [[ $folder == "$CACHE"/* || -e $folder/../pyvenv.cfg ]] || path+=${path:+:}$folder
    done
    printf '%s' "$path"
}

# --- what is there

# The first Python of a good version: the system's or the user's before that of an activated conda environment, since
# those come and go. Sets python.
find_python() {
    local folder candidate candidates=() later=()
    local IFS=:
    for folder in $PATH; do
        for candidate in "$folder"/python3 "$folder"/python3.1[0-4]; do
            [[ -x $candidate ]] || continue
            if [[ -d $folder/../conda-meta ]]; then later+=("$candidate"); else candidates+=("$candidate"); fi
        done
    done
    for candidate in ${PYTHON:+"$PYTHON"} ${candidates[@]+"${candidates[@]}"} ${later[@]+"${later[@]}"}; do
        if python=$("$candidate" -c "$PYTHON_QUESTION" 2>/dev/null); then return; fi
        [[ $candidate != "${PYTHON:-}" ]] || die "PYTHON=$PYTHON is no Python 3.10 to 3.14"
    done
    return 1
}

# The first Java of a good version, in the order in which the launcher looks for one, then any other installed: sets java
# and java_home
find_java() {
    local settings version
    for java in ${NXF_JAVA_HOME:+"$NXF_JAVA_HOME/bin/java"} ${JAVA_HOME:+"$JAVA_HOME/bin/java"} \
        "$(type -P java)" /usr/lib/jvm/*/bin/java; do
        [[ -x $java ]] || continue
        settings=$("$java" -XshowSettings:properties -version 2>&1 || true)
        version=$(sed -n 's/^ *java.specification.version = \([0-9]*\).*/\1/p' <<<"$settings")
        java_home=$(sed -n 's/^ *java.home = //p' <<<"$settings")
        [[ -z $version ]] || ((version < JAVA_OLDEST || version > JAVA_NEWEST)) || return 0
    done
    return 1
}

# own_nextflow PROGRAM: its version, or nothing if it does not run. Asking it takes seconds: the answer is kept for as
# long as the file is the same.
own_nextflow() {
    local program=$1 answer asked limit=()
    asked="$program $(ls -Lln "$program") ${NXF_VER:-} ${JAVA_HOME:-}"
    if [[ -f $CACHE/own-nextflow ]] && [[ $(head -n 1 "$CACHE/own-nextflow") == "$asked" ]]; then
        answer=$(sed -n 2p "$CACHE/own-nextflow")
    else
        say "asking $program for its version"
        if has timeout; then limit=(timeout 120); fi
        answer=$(cd "$CACHE"; ${limit[@]+"${limit[@]}"} "$program" -v </dev/null 2>/dev/null || true)
        answer=$(sed -n 's/.*version \([0-9][0-9]*\.[0-9][0-9]*\).*/\1/p' <<<"$answer")
        [[ -z $answer ]] || printf '%s\n' "$asked" "$answer" >"$CACHE/own-nextflow"
    fi
    printf '%s\n' "$answer"
}

new_enough() { # VERSION
    local major=${1%%.*} minor=${1#*.}
    ((10#$major > 10#${NEXTFLOW_OLDEST%.*} || (10#$major == 10#${NEXTFLOW_OLDEST%.*} && 10#$minor >= 10#${NEXTFLOW_OLDEST#*.})))
}

# --- packages of the distribution

# The newest long-term Java that this release has and Nextflow runs on
java_package() {
    local version
    for version in 21 17; do
        if [[ -n $(apt-cache madison "openjdk-$version-jre-headless" 2>/dev/null) ]]; then
            echo "openjdk-$version-jre-headless"
            return
        fi
    done
    echo openjdk-17-jre-headless
}

# Looks at what is there. Sets python, java, needs_nextflow, missing (what, in words) and packages (Debian's names).
survey() {
    missing=() packages=()
    local tool
    if ! find_python; then
        missing+=('Python 3.10 to 3.14') packages+=(python3 python3-venv)
    elif [[ ! -e $(python_folder)/.complete ]] && ! "$python" -c 'import venv, ensurepip' 2>/dev/null; then
        missing+=("Python's venv module for $python") packages+=("$(basename "$python")-venv")
    fi
    for tool in minimap2 bwa samtools; do
        has "$tool" || { missing+=("$tool") packages+=("$tool"); }
    done
    has ps || { missing+=(ps) packages+=(procps); }

    needs_nextflow=yes
    local own version
    if own=$(type -P nextflow); then
        version=$(own_nextflow "$own")
        if [[ -n $version ]] && new_enough "$version"; then
            needs_nextflow=
            return
        fi
        if [[ -n $version ]]; then version="is $version, older than $NEXTFLOW_OLDEST"; fi
        say "$own ${version:-does not run}: using Nextflow from the cache instead"
    fi
    find_java || { missing+=("Java $JAVA_OLDEST to $JAVA_NEWEST") packages+=(java); }
    [[ -e $(nextflow_folder)/.complete ]] || has mvn || { missing+=('Maven (to install Nextflow)') packages+=(maven); }
}

# as_root COMMAND...: runs it as root, or fails
as_root() {
    if [[ $(id -u) == 0 ]]; then "$@"; else sudo -n "$@"; fi
}

# The packages by name, now that the package lists are as fresh as they get
package_names() {
    local name
    for name in "${packages[@]}"; do
        if [[ $name == java ]]; then java_package; else printf '%s\n' "$name"; fi
    done
}

give_up() { # REASON
    local list
    list=$(printf ', %s' "${missing[@]}")
    say "missing: ${list#, }"
    say "$1"
    say "  on Debian or Ubuntu: sudo apt-get install $(package_names | xargs)"
    say '  elsewhere: by the package manager of the system, or conda'
    say "or run in containers, which hold all of these: \`nextflow run . -profile docker\` (or podman, singularity, apptainer)"
    die "needs only Java $JAVA_OLDEST or newer, Nextflow $NEXTFLOW_OLDEST or newer and the images (\`make images\`)"
}

install_packages() {
    has apt-get || give_up 'this system has no apt-get to install them with'
    as_root true 2>/dev/null || give_up 'installing them needs root'
    say "installing from the distribution: ${packages[*]}"
    local log=$CACHE/apt-get.log
    as_root apt-get update >"$log" 2>&1 || say "apt-get update failed ($log); trying with the package lists that are there"
    local names
    read -r -a names < <(package_names | xargs)
    if ! as_root env DEBIAN_FRONTEND=noninteractive apt-get -o DPkg::Lock::Timeout=300 install -y \
        --no-install-recommends "${names[@]}" >>"$log" 2>&1 </dev/null; then
        tail -n 20 "$log" >&2
        give_up "apt-get could not install them (all it said is in $log)"
    fi
    hash -r
    survey
    ((${#missing[@]} == 0)) || give_up 'they are still not there after apt-get install'
}

# --- the Python environment

python_folder() {
    printf '%s/python-%s' "$CACHE" "$(key "${REQUIREMENTS[@]}" scripts/requirements.txt "python=$python")"
}

tools_folder() { # NAME REQUIREMENTS
    printf '%s/python-%s-%s' "$CACHE" "$1" "$(key "$2" scripts/requirements.txt "python=$python")"
}

# What the tests use by itself; prints the folder of its programs.
install_tools() { # NAME REQUIREMENTS GB IMPORTS
    local folder
    folder=$(tools_folder "$1" "$2")
    install_python "$folder" "$3" "$4" "$2"
    printf '%s/bin\n' "$folder"
}

report_folder() {
    tools_folder report "$REPORT_REQUIREMENTS"
}

# The folder for the PATH that has MultiQC and nothing else of its environment
report_programs() {
    printf '%s/programs' "$(report_folder)"
}

install_report() {
    local programs
    programs=$(report_programs)
    install_python "$(report_folder)" "$REPORT_GB" "$REPORT_IMPORTS" "$REPORT_REQUIREMENTS"
    mkdir -p "$programs"
    ln -sf ../bin/multiqc "$programs/multiqc"
}

# pip alone knows an index, proxy or client certificate of pip's own configuration; without one uv does the same much
# faster. pip also steps in if uv fails.
install_requirements() { # FOLDER FILE...
    local folder=$1 files=() file settings certificate
    shift
    for file in "$@"; do files+=(-r "$file"); done
    settings=$("$folder/bin/python" -m pip config list)
    if ! grep -Eq "\.(index-url|extra-index-url|no-index|proxy|client-cert|trusted-host)=" <<<"$settings"; then
        certificate=$(sed -n "s/.*\.cert='\(.*\)'/\1/p" <<<"$settings" | tail -n 1)
        [[ -z $certificate || -n ${SSL_CERT_FILE:-} ]] || export SSL_CERT_FILE=$certificate
        # The cache lies beside the environment, so that files are linked and not copied.
        if "$folder/bin/python" -m pip install -q --no-cache-dir --require-hashes -r scripts/requirements.txt &&
            UV_CACHE_DIR=$folder/uv-cache UV_HTTP_TIMEOUT=${UV_HTTP_TIMEOUT:-300} UV_LINK_MODE=hardlink "$folder/bin/uv" \
                pip install --python "$folder/bin/python" --no-deps --require-hashes --compile-bytecode "${files[@]}"; then
            rm -rf "$folder/uv-cache"
            return
        fi
        rm -rf "$folder/uv-cache"
        say 'uv could not install the Python packages; trying with pip'
    fi
    mkdir -p "$folder/tmp"
    TMPDIR=$folder/tmp "$folder/bin/python" -m pip install --no-cache-dir --no-deps --require-hashes "${files[@]}" || return
    rm -rf "$folder/tmp"
}

# An environment cannot be moved, so it is built where it will stand; the stamp says that it is whole.
install_python() { # FOLDER GB IMPORTS FILE...
    local folder=$1 needed=$2 imports=$3 free
    shift 3
    if [[ -e $folder/.complete ]] && "$folder/bin/python" -c '' 2>/dev/null; then
        return
    fi
    rm -rf "$folder"
    free=$(($(df -Pk "$CACHE" | awk 'NR == 2 { print $4 }') / 1000000))
    ((free >= needed)) ||
        die "a Python environment needs $needed GB while it is installed and $CACHE has $free: set BINLOOM_CACHE"
    say "installing a Python environment into $folder (needs $needed GB)"
    "$python" -m venv "$folder" >&2
    install_requirements "$folder" "$@" >&2 || die 'the Python packages could not be installed: see above'
    "$folder/bin/python" -c "import $imports" >&2 || die 'the Python environment does not work: see above'
    date >"$folder/.complete"
}

# --- Nextflow

nextflow_folder() {
    printf '%s/nextflow-%s' "$CACHE" "$(key scripts/nextflow/pom.xml scripts/nextflow/nextflow)"
}

install_nextflow() {
    local folder=$1 partial=$1.partial
    [[ ! -e $folder/.complete ]] || return 0
    say "installing Nextflow into $folder"
    rm -rf "$folder" "$partial"
    mkdir -p "$partial/bin"
    # A repository of its own: the user's may be read-only, broken or on a small disk. Its settings still hold.
    if ! JAVA_HOME=$java_home mvn -B --no-transfer-progress --strict-checksums -f scripts/nextflow/pom.xml \
        dependency:copy-dependencies -DoutputDirectory="$partial/lib" -Dmaven.repo.local="$partial/repository" \
        >"$CACHE/maven.log" 2>&1 </dev/null; then
        tail -n 20 "$CACHE/maven.log" >&2
        die "Maven could not fetch Nextflow (all it said is in $CACHE/maven.log)"
    fi
    rm -rf "$partial/repository"
    install -m 755 scripts/nextflow/nextflow "$partial/bin/nextflow"
    date >"$partial/.complete"
    mv "$partial" "$folder"
}

# --- the lines to eval

# Nextflow's home less the user's own configuration, which might say to run in Docker or on a cluster
isolated_home() {
    local theirs=${NXF_HOME:-$HOME/.nextflow} ours=$CACHE/nextflow-home item
    [[ -e $theirs/config || ! -w $HOME ]] || return 0
    rm -rf "$ours"
    mkdir -p "$ours"
    for item in "$theirs"/*; do
        [[ ! -e $item || $item == */config ]] || ln -s "$item" "$ours/"
    done
    printf 'export NXF_HOME=%q\n' "$ours"
}

print_lines() { # [--isolated]
    local path first
    path=$(python_folder)/bin:$(report_programs)
    [[ -z $had_pythonpath ]] || echo 'unset PYTHONPATH PYTHONHOME'
    [[ -n $had_home ]] || printf 'export HOME=%q\n' "$HOME"
    if [[ -n $needs_nextflow ]]; then
        path+=:$(nextflow_folder)/bin
        # The first Java that the launcher would look at, if it is not the one that will do
        first=${NXF_JAVA_HOME:-${JAVA_HOME:-}}
        if [[ -n $first ]]; then first=$first/bin/java; else first=$(type -P java || true); fi
        [[ $java == "$first" ]] || printf 'export NXF_JAVA_HOME=%q\n' "$java_home"
    fi
    printf "export PATH=%q:\"\$PATH\"\n" "$path"
    if [[ ${1:-} == --isolated ]]; then
        echo 'unset NXF_CONFIG_FILE NXF_PARAMS_FILE NXF_EXECUTOR NXF_DEFAULT_DSL'
        isolated_home
    fi
}

case ${1:-} in
    '' | --isolated | --nf-core | --next-tools | --anvio) ;;
    --clean)
        clean
        exit
        ;;
    *) die "unknown argument $1" ;;
esac

open_cache
PATH=$(outer_path)
if [[ ${1:-} == --nf-core || ${1:-} == --next-tools || ${1:-} == --anvio ]]; then
    find_python || die 'Python 3.10 to 3.14 is missing: `make env` installs it'
    case $1 in
        --nf-core) install_tools nf-core "$NF_CORE_REQUIREMENTS" "$NF_CORE_GB" "$NF_CORE_IMPORTS" ;;
        --next-tools) install_tools next-tools "$NEXT_TOOLS_REQUIREMENTS" "$NEXT_TOOLS_GB" "$NEXT_TOOLS_IMPORTS" ;;
        --anvio) install_tools anvio "$ANVIO_REQUIREMENTS" "$ANVIO_GB" "$ANVIO_IMPORTS" ;;
    esac
    exit
fi
survey
((${#missing[@]} == 0)) || install_packages
install_python "$(python_folder)" "$ENVIRONMENT_GB" "$IMPORTS" "${REQUIREMENTS[@]}"
install_report
[[ -z $needs_nextflow ]] || install_nextflow "$(nextflow_folder)"
print_lines "$@"
