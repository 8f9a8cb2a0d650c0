#!/usr/bin/env bash
# Runs the pipeline on a benchmark community with known truth and scores its bins before and after refinement.
#
# usage: tests/benchmark/community.sh BENCH OUTDIR [nextflow run arguments]
#   BENCH   the benchmark folder (community_a/, make_community.py, score.py)
#   OUTDIR  reads (made once), sheets, work directory and results go here
set -euo pipefail

bench=$(realpath "$1")
out=$(realpath -m "$2")
shift 2
project=$(realpath "$(dirname "$0")/../..")
mkdir -p "$out"
cd "$out"

# 25 genomes, six samples, 900 Mbp in all, seed 11
[ -e reads/S6_2.fastq.gz ] || python3 "$bench/make_community.py" "$bench/community_a/genomes.tsv" reads 6 900 11

echo sample,group,fastq_1,fastq_2,bam,platform > samples.csv
for i in 1 2 3 4 5 6; do
    echo "S$i,community_a,reads/S${i}_1.fastq.gz,reads/S${i}_2.fastq.gz,,illumina" >> samples.csv
done
a=$bench/community_a
printf '%s\n' id,group,assembler,fasta,graph,paths \
    "a,community_a,metaspades,$a/contigs.fasta.gz,$a/assembly_graph_with_scaffolds.gfa.gz,$a/contigs.paths.gz" > assemblies.csv

nextflow run "$project" --input samples.csv --assembly_input assemblies.csv --outdir results "$@"

score() { python3 "$bench/score.py" "$bench/community_a/truth.tsv" "$1"; }
cut -f 1,2 results/community_a/clusters.tsv > before.tsv
awk -F '\t' -v OFS='\t' '{print $3, $2}' results/community_a/contig2bin.tsv > after.tsv
echo "== before refinement"; score before.tsv
echo "== after refinement"; score after.tsv
python3 "$project/tests/benchmark/stages.py" results/pipeline_info/trace.tsv
