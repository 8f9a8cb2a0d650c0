#!/usr/bin/env bash
# Runs the VAMB preprint's experiments on three sets with known genomes, as docs/experiments.md reports them.
#
# usage: benchmark/experiments.sh BENCH COMMUNITY_A CONCOCT16 OUTDIR
#   BENCH        as for community.sh
#   COMMUNITY_A  the OUTDIR of community.sh for community_a: its abundances stand for the reads
#   CONCOCT16    the same for concoct16
#   OUTDIR       sheets, work directory and results: three/, seed_2/, seed_3/ and long/, each with experiments/, and
#                trials.tsv and genomes_found.tsv of all
# The groups are community_a, community_a_two (the same contigs, with samples S1 and S4 alone) and concoct16. The search
# learns from the first two. A second call with the same OUTDIR goes on where the first one ended.
set -euo pipefail

bench=$(realpath "$1")
community=$(realpath "$2")
concoct=$(realpath "$3")
here=$(realpath "$(dirname "$0")")
mkdir -p "$4"
cd "$4"

zcat "$community/results/community_a/features/rpkm.tsv.gz" > six.tsv
cut -f 1,2,5 six.tsv > two.tsv
cp "$concoct/abundance.tsv" sixteen.tsv

# One truth for all groups: the same contigs are in two of them, so the assembly is told
printf 'assembly\tcontig\tgenome\tlength\n' > truth.tsv
for row in a:community_a b:community_a c:concoct16; do
    zcat "$here/truth/${row#*:}.tsv.gz" | awk -F '\t' -v OFS='\t' -v id="${row%%:*}" 'NR > 1 { print id, $1, $2, $3 }'
done >> truth.tsv
grep -v -P '^b\t' truth.tsv > truth_without_two.tsv

header=id,group,assembler,fasta,graph,paths,abundance
a="a,community_a,metaspades,$bench/community_a/contigs.fasta.gz,,,six.tsv"
b="b,community_a_two,metaspades,$bench/community_a/contigs.fasta.gz,,,two.tsv"
c="c,concoct16,metaspades,$bench/concoct16/contigs.fasta.gz,,,sixteen.tsv"
printf '%s\n' "$header" "$a" "$b" "$c" > three.csv
printf '%s\n' "$header" "$a" "$c" > two.csv

# Two trials at once, with one thread each. Training and refinement of the run itself are cut short.
echo 'process { withName: RUN_TRIAL { cpus = 1 } }' > one_thread.config
run() {
    local name=$1
    shift
    nextflow run "$here/.." -c one_thread.config --outdir "$name" --epochs 1 --refine_mode article --markers false \
        --skip_multiqc -resume "$@"
}
run three --assembly_input three.csv --truth truth.tsv --experiment_epochs 60 \
    --experiments inputs,autoencoder,latent,search --search_held_out concoct16
run long --assembly_input two.csv --truth truth_without_two.tsv --experiments epochs
for seed in 2 3; do
    run "seed_$seed" --assembly_input three.csv --truth truth.tsv --experiment_epochs 60 --seed "$seed" \
        --experiments inputs,autoencoder,latent
done

# One table of each kind, with the run in front
for table in trials genomes_found; do
    awk -F '\t' -v OFS='\t' 'FNR == 1 { if (NR == 1) print "run", $0; next }
        { run = FILENAME; sub("/.*", "", run); print run, $0 }' \
        {three,seed_2,seed_3,long}/experiments/$table.tsv > "$table.tsv"
done
