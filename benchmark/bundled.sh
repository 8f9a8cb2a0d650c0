#!/usr/bin/env bash
# Runs the pipeline on the bundled communities (tests/data) and scores its bins: two minutes, nothing to download.
#
# usage: benchmark/bundled.sh OUTDIR [nextflow run arguments, such as --seed 2]
# Writes OUTDIR/bundled.tsv, a row for each assembly: a co-assembly of three samples with metaSPAdes, two assemblies that
# are binned together (multi-split), and a small MEGAHIT assembly.
set -euo pipefail

out=$(realpath -m "$1")
shift
here=$(realpath "$(dirname "$0")")
data=$(realpath "$here/../tests/data")
mkdir -p "$out"
cd "$out"

# usage: run GROUP SAMPLES ASSEMBLIES [nextflow run arguments]: results in OUTDIR/GROUP
run() {
    nextflow run "$here/.." -profile test --input "$data/$2.samples.csv" --assembly_input "$data/$3.assemblies.csv" \
        --outdir "$1" "${@:4}"
}

# usage: score GROUP ASSEMBLY TRUTH SET
score() {
    python3 "$here/score.py" "$data/$3.truth.tsv" "$1"/*/contig2bin.tsv --assembly "$2" --set "$4" --bins Binloom \
        --min_bin_size 20000 --tsv bundled.tsv
}

run co co co "$@"
run ms ms ms "$@"
run mh co mh "$@"
score co coasm co co
score ms A1 A1 "ms, A1"
score ms A2 A2 "ms, A2"
score mh mh mh mh
