#!/usr/bin/env bash
# Builds the container images, or pushes them:
#     containers/build.sh [push]
#
# VERSION     their tag (the Makefile takes it from nextflow.config)
# ENGINE      docker, podman or buildah; the first of these that is there
# REGISTRY    what stands before /binloom/<image>, as in the parameter container_registry; localhost
# BUILD_ARGS  more options for the engine's build, such as --build-arg PIP_INDEX_URL=... (see the Dockerfiles)
# SIF         a folder for the images as files for Singularity or Apptainer, under the names by which Nextflow finds them
#             there if NXF_SINGULARITY_LIBRARYDIR or NXF_APPTAINER_LIBRARYDIR names the folder
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"

readonly IMAGES=(core torch)
VERSION=${VERSION:?}
REGISTRY=${REGISTRY:-localhost}

die() {
    printf 'binloom: %s\n' "$*" >&2
    exit 1
}

# first COMMAND...: the first one that is there
first() {
    local command
    for command in "$@"; do
        if type -P "$command" >/dev/null; then
            echo "$command"
            return
        fi
    done
    return 1
}

build() { # IMAGE
    local options
    # BUILD_ARGS holds several words.
    read -r -a options <<<"${BUILD_ARGS:-}"
    # Singularity, Apptainer and old schedulers read Docker's format, which buildah and podman do not write by default.
    [[ $ENGINE == docker ]] || options=(--format docker "${options[@]}")
    "$ENGINE" build ${options[@]+"${options[@]}"} --build-arg "VERSION=$VERSION" --tag "$(name "$1")" "$1"
}

name() { # IMAGE
    printf '%s/binloom/%s:%s' "$REGISTRY" "$1" "$VERSION"
}

# The archive goes beside the file that is made of it: it is as large, and /tmp may be small.
convert() { # IMAGE
    local file archive=$SIF/$1.tar
    file=$(name "$1")
    file=$SIF/${file//[:\/]/-}.img
    case $ENGINE in
        docker) docker save --output "$archive" "$(name "$1")" ;;
        podman) podman save --format docker-archive --output "$archive" "$(name "$1")" ;;
        buildah) buildah push "$(name "$1")" "docker-archive:$archive:$(name "$1")" ;;
    esac
    "$converter" build --force "$file" "docker-archive:$archive"
    rm "$archive"
    echo "$file"
}

ENGINE=${ENGINE:-$(first docker podman buildah)} || die 'no docker, podman or buildah on PATH to build images with'

if [[ ${1:-} == push ]]; then
    [[ $REGISTRY != localhost ]] || die 'name the registry to push to: make push REGISTRY=...'
    for image in "${IMAGES[@]}"; do "$ENGINE" push "$(name "$image")"; done
    exit
fi

if [[ -n ${SIF:-} ]]; then
    converter=$(first apptainer singularity) || die 'no apptainer or singularity on PATH to write SIF files with'
    mkdir -p "$SIF"
    SIF=$(cd "$SIF" && pwd)
fi
for image in "${IMAGES[@]}"; do
    build "$image"
    [[ -z ${SIF:-} ]] || convert "$image"
done
