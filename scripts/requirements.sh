#!/usr/bin/env bash
# Pins every requirements.in, with its dependencies and the hashes of their files, in the requirements.txt beside it.
# One version per package for all Pythons from 3.10 on, wherever one exists.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

# The installer leaves uv in the environment unless pip had to do its work.
type -P uv >/dev/null || python3 -m pip install --quiet --require-hashes -r scripts/requirements.txt

pin() { # FOLDER [OPTION ...]
    local folder=$1
    shift
    (cd "$folder" && uv pip compile --quiet --universal --python-version 3.10 --fork-strategy fewest \
        --generate-hashes --no-emit-index-url --no-emit-find-links --no-annotate \
        --custom-compile-command 'make requirements' --output-file requirements.txt "$@" requirements.in)
}

# What fetchmgs and metacoag ask for, and none of their models needs: the packages are installed without dependencies, as
# the lists hold all that there are. PyTorch itself asks for networkx, umap-learn for scipy and tqdm.
unused=(--no-emit-package biopython --no-emit-package igraph --no-emit-package texttable)
unused_by_core=("${unused[@]}" --no-emit-package networkx --no-emit-package scipy --no-emit-package tqdm)

# What MultiQC asks for to draw bitmaps (kaleido), to write Parquet files and to ask language models: a report
# needs none of it, and it makes up two thirds of all. Of the two builds of polars the one that every processor runs stays.
unused_by_report=(--no-emit-package kaleido --no-emit-package pyarrow
    --no-emit-package boto3 --no-emit-package botocore --no-emit-package s3transfer --no-emit-package jmespath
    --no-emit-package tiktoken --no-emit-package regex --no-emit-package polars-runtime-32)

# The set of the torch image holds that of the core image, so the pins of both never disagree.
pin containers/torch "${unused[@]}" "$@"
pin containers/core -c ../torch/requirements.txt "${unused_by_core[@]}" "$@"
pin containers/report "${unused_by_report[@]}" "$@"
pin tests -c ../containers/torch/requirements.txt "$@"
pin benchmark -c ../containers/torch/requirements.txt "$@"
pin tests/nf-core "$@"
pin tests/next_tools "$@"
pin tests/anvio --no-deps "$@"
pin scripts "$@"
