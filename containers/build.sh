#!/usr/bin/env bash
# Builds the container images, or pushes them, and prints the digest and the size of each:
#     containers/build.sh [push]
#
# VERSION     their tag (the Makefile takes it from nextflow.config)
# ENGINE      docker, podman or buildah; the first of these that works
# REGISTRY    what stands before /binloom/<image>, as in the parameter container_registry; localhost
# BUILD_ARGS  more options for the engine's build, such as --build-arg PIP_INDEX_URL=... (see the Dockerfiles)
# SIF         a folder for the images as files for Singularity or Apptainer, under the names by which Nextflow finds them
#             there if NXF_SINGULARITY_LIBRARYDIR or NXF_APPTAINER_LIBRARYDIR names the folder
# KEEP        if set, an image is not built again as long as it was made from the same folder
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"

readonly IMAGES=(core torch report)
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

# The first engine that works: Docker's client is no use where its daemon does not answer.
engine() {
    if type -P docker >/dev/null && docker info >/dev/null 2>&1; then echo docker; else first podman buildah; fi
}

# What an image is made from, as a hash. The image has it as a label, so that an old image is told from a new one.
source_of() { # IMAGE
    (cd "$1" && sha256sum Dockerfile requirements.txt) | sha256sum | cut -d ' ' -f 1
}

is_current() { # IMAGE
    local format='{{index .Config.Labels "binloom.source"}}' options=(image inspect)
    [[ $ENGINE != buildah ]] || options=(inspect --type image) format=${format/.Config/.OCIv1.Config}
    [[ $("$ENGINE" "${options[@]}" --format "$format" "$(name "$1")" 2>/dev/null) == "$(source_of "$1")" ]]
}

build() { # IMAGE
    local options
    # BUILD_ARGS holds several words.
    read -r -a options <<<"${BUILD_ARGS:-}"
    # Singularity, Apptainer and old schedulers read Docker's format, which buildah and podman do not write by default.
    [[ $ENGINE == docker ]] || options=(--format docker "${options[@]}")
    "$ENGINE" build ${options[@]+"${options[@]}"} --build-arg "VERSION=$VERSION" \
        --label "binloom.source=$(source_of "$1")" --tag "$(name "$1")" "$1"
}

name() { # IMAGE
    printf '%s/binloom/%s:%s' "$REGISTRY" "$1" "$VERSION"
}

# Docker knows no digest of an image that it has not pushed or pulled: then the image's ID stands for it.
describe() { # IMAGE
    local digest id size
    read -r digest id size < <("$ENGINE" images --no-trunc --format '{{.Digest}} {{.ID}} {{.Size}}' "$(name "$1")")
    [[ $digest == sha256:* ]] || digest="ID $id"
    printf '%s  %s  %s\n' "$(name "$1")" "$digest" "$size"
}

# A registry's digest is that of the compressed layers, and only the push knows it.
push() { # IMAGE
    local digest
    if [[ $ENGINE == docker ]]; then
        docker push "$(name "$1")" >&2
        digest=$(docker image inspect --format '{{join .RepoDigests "\n"}}' "$(name "$1")" |
            sed -n "s|^$REGISTRY/binloom/$1@||p")
    else
        "$ENGINE" push --digestfile "$scratch/digest" "$(name "$1")" >&2
        digest=$(<"$scratch/digest")
    fi
    printf '%s  %s\n' "$(name "$1")" "$digest"
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

ENGINE=${ENGINE:-$(engine)} || die 'no docker that answers, and no podman or buildah on PATH to build images with'

if [[ ${1:-} == push ]]; then
    [[ $REGISTRY != localhost ]] || die 'name the registry to push to: make push REGISTRY=...'
    scratch=$(mktemp -d)
    trap 'rm -r "$scratch"' EXIT
    for image in "${IMAGES[@]}"; do push "$image" >>"$scratch/digests"; done
    cat "$scratch/digests"
    exit
fi

if [[ -n ${SIF:-} ]]; then
    converter=$(first apptainer singularity) || die 'no apptainer or singularity on PATH to write SIF files with'
    mkdir -p "$SIF"
    SIF=$(cd "$SIF" && pwd)
fi
for image in "${IMAGES[@]}"; do
    if [[ -z ${KEEP:-} ]] || ! is_current "$image"; then build "$image"; fi
    [[ -z ${SIF:-} ]] || convert "$image"
done
for image in "${IMAGES[@]}"; do describe "$image"; done
