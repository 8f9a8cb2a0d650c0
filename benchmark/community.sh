#!/usr/bin/env bash
# Runs the pipeline on a community with known truth and scores its bins before and after refinement.
#
# usage: tests/benchmark/community.sh BENCH OUTDIR SET [nextflow run arguments]
#   BENCH   the benchmark folder (genomes/, community_a/, make_community.py, label_contigs.py, score.py)
#   OUTDIR  reads and assembly (made once), sheets, work directory and results go here
#   SET     community_a      25 genomes, six samples, 900 Mbp, metaSPAdes (contigs, graph and truth in BENCH)
#           other_coverage   the same contigs, six other samples of the same genomes (reads of another seed)
#           strains          14 genomes, most of them relatives of another, three samples, 300 Mbp, MEGAHIT
#           single           18 genomes, one sample, 300 Mbp, MEGAHIT
#           SET:S1,S4        the same with the reads of these samples only (the assembly stays)
# The genomes of the last two are in sets/; MEGAHIT and minimap2 must be on PATH.
set -euo pipefail

bench=$(realpath "$1")
out=$(realpath -m "$2")
set=${3%%:*}
samples=${3#"$set"}
shift 3
here=$(realpath "$(dirname "$0")")
mkdir -p "$out"
cd "$out"

case $set in
    community_a) made="6 900 11" all=S1,S2,S3,S4,S5,S6 ;;
    other_coverage) made="6 900 21" all=S1,S2,S3,S4,S5,S6 ;;
    strains) made="3 300 12" all=S1,S2,S3 ;;
    single) made="1 300 14" all=S1 ;;
    *) echo "$set: no such set; see the head of $0" >&2; exit 1 ;;
esac
samples=${samples#:}
samples=${samples:-$all}

if [ "$set" = community_a ] || [ "$set" = other_coverage ]; then
    genomes=$bench/community_a/genomes.tsv truth=$bench/community_a/truth.tsv
    assembly=metaspades,$bench/community_a/contigs.fasta.gz,$bench/community_a/assembly_graph_with_scaffolds.gfa.gz,$bench/community_a/contigs.paths.gz
else
    genomes=$out/genomes.tsv truth=$out/truth.tsv
    assembly=megahit,megahit/final.contigs.fa,megahit/graph.fastg,
    while read -r name; do printf '%s\t%s\n' "$name" "$bench/genomes/$name.fna.gz"; done < "$here/sets/$set.txt" > genomes.tsv
fi
# shellcheck disable=SC2086
[ -e "reads/${all##*,}_2.fastq.gz" ] || python3 "$bench/make_community.py" "$genomes" reads $made
if [ "$truth" = "$out/truth.tsv" ] && [ ! -e truth.tsv ]; then
    rm -rf megahit
    megahit -t 2 --k-list 31,51,71 -o megahit -1 "$(echo reads/*_1.fastq.gz | tr ' ' ,)" -2 "$(echo reads/*_2.fastq.gz | tr ' ' ,)"
    last=$(find megahit/intermediate_contigs -name 'k*.contigs.fa' | sed 's/.*k\([0-9]*\)\.contigs\.fa/\1/' | grep -v '\.' | sort -n | tail -1)
    megahit_toolkit contig2fastg "$last" "megahit/intermediate_contigs/k$last.contigs.fa" > megahit/graph.fastg
    python3 "$bench/label_contigs.py" genomes.tsv megahit/final.contigs.fa truth.tsv
fi

echo sample,group,fastq_1,fastq_2,bam,platform > samples.csv
for name in ${samples//,/ }; do
    echo "$name,$set,reads/${name}_1.fastq.gz,reads/${name}_2.fastq.gz,,illumina" >> samples.csv
done
printf '%s\n' id,group,assembler,fasta,graph,paths "a,$set,$assembly" > assemblies.csv

nextflow run "$here/../.." --input samples.csv --assembly_input assemblies.csv --outdir results "$@"

score() { python3 "$bench/score.py" "$truth" "$1"; }
cut -f 1,2 "results/$set/clusters.tsv" > before.tsv
awk -F '\t' -v OFS='\t' '{print $3, $2}' "results/$set/contig2bin.tsv" > after.tsv
echo "== before refinement"; score before.tsv
echo "== after refinement"; score after.tsv
python3 "$here/stages.py" results/pipeline_info/trace.tsv
