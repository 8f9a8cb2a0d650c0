#!/usr/bin/env bash
# Runs the pipeline on a community with known truth and scores its clusters and its bins.
#
# usage: benchmark/community.sh BENCH OUTDIR SET [nextflow run arguments, such as --seed 2]
#   BENCH   a folder with genomes/NAME.fna.gz (names: benchmark/sets/) and, for the first two sets and the last, the
#           fixed assembly: community_a/ or concoct16/ with contigs.fasta.gz, assembly_graph_with_scaffolds.gfa.gz and
#           contigs.paths.gz, concoct16/ also with depth.tsv.gz. Their truth is in benchmark/truth/.
#   OUTDIR  reads and assembly (made once), sheets, work directory and results go here
#   SET     community_a      25 genomes, six samples, 900 Mbp, metaSPAdes
#           other_coverage   the same contigs, six other samples of the same genomes (reads of another seed)
#           strains          14 genomes, most of them relatives of another, three samples, 300 Mbp, MEGAHIT
#           single           18 genomes, one sample, 300 Mbp, MEGAHIT
#           relatives_a      28 genomes, 20 of them with a relative of the genus, five samples, 750 Mbp, MEGAHIT
#           relatives_b      24 genomes, 17 of them with a relative of the genus, four samples, 600 Mbp, MEGAHIT
#           relatives_c      24 genomes, 18 of them with a relative of the genus, six samples, 720 Mbp, MEGAHIT
#           multi_a          22 genomes, four samples, 600 Mbp, an assembly of each sample by MEGAHIT
#           multi_b          22 genomes of 8 species, one of a species in a sample, four samples, 500 Mbp, the same
#           simulated        20 simulated genomes of 12 species, four samples, 400 Mbp, MEGAHIT; nothing of BENCH
#           complex          394 simulated genomes of 180 species, depths in 20 samples in place of reads and assembly
#           complex_b        215 simulated genomes of 100 species, depths in eight samples; of other ancestors
#           SET:S1,S4        one of these with the reads of these samples only (the assembly stays)
#           concoct16        9 genomes, metaSPAdes, depths in 16 samples in place of reads
# The score of the bins also goes to OUTDIR/runs.tsv, a row for each set and seed. Sets with MEGAHIT need megahit and
# minimap2 on PATH.
set -euo pipefail

bench=$(realpath "$1")
out=$(realpath -m "$2")
name=$3
set=${3%%:*}
samples=${3#"$set"}
shift 3
here=$(realpath "$(dirname "$0")")
mkdir -p "$out"
cd "$out"

genomes=$set fixed='' each='' drawn=''
case $set in
    community_a) reads="--samples 6 --megabases 900 --seed 11" all=S1,S2,S3,S4,S5,S6 fixed=community_a ;;
    other_coverage) reads="--samples 6 --megabases 900 --seed 21" all=S1,S2,S3,S4,S5,S6 fixed=community_a genomes=community_a ;;
    strains) reads="--samples 3 --megabases 300 --seed 12" all=S1,S2,S3 ;;
    single) reads="--samples 1 --megabases 300 --seed 14" all=S1 ;;
    relatives_a) reads="--samples 5 --megabases 750 --seed 31" all=S1,S2,S3,S4,S5 ;;
    relatives_b) reads="--samples 4 --megabases 600 --seed 32" all=S1,S2,S3,S4 ;;
    relatives_c) reads="--samples 6 --megabases 720 --seed 33" all=S1,S2,S3,S4,S5,S6 ;;
    multi_a) reads="--samples 4 --megabases 600 --seed 41" all=S1,S2,S3,S4 each=yes ;;
    multi_b) reads="--samples 4 --megabases 500 --seed 42" all=S1,S2,S3,S4 each=yes ;;
    simulated) reads="--samples 4 --megabases 400 --seed 62" all=S1,S2,S3,S4 ;;
    concoct16) reads='' all='' fixed=concoct16 ;;
    complex) reads='' all='' drawn="--species 180 --samples 20 --seed 51" ;;
    complex_b) reads='' all='' drawn="--species 100 --samples 8 --seed 52" ;;
    *) echo "$set: no such set; see the head of $0" >&2; exit 1 ;;
esac
samples=${samples#:}
samples=${samples:-$all}

folder=$bench/genomes names=$here/sets/$genomes.txt
if [ "$set" = simulated ]; then
    folder=genomes names=names.txt
    [ -e names.txt ] || python3 "$here/simulate_genomes.py" .
fi
# shellcheck disable=SC2086
if [ -n "$reads" ] && [ ! -e "reads/${all##*,}_2.fastq.gz" ]; then
    python3 "$here/simulate_reads.py" "$folder" "$names" reads $reads
fi
# usage: assemble ID FIRST_READS SECOND_READS: megahit/ID with contigs and graph, truth of the contigs in megahit/ID.tsv
assemble() {
    [ ! -e "megahit/$1.tsv" ] || return 0
    mkdir -p megahit
    rm -rf "megahit/$1"
    megahit -t 2 --k-list 31,51,71 -o "megahit/$1" -1 "$2" -2 "$3"
    last=$(find "megahit/$1/intermediate_contigs" -name 'k*.contigs.fa' | sed 's/.*k\([0-9]*\)\.contigs\.fa/\1/' | grep -v '\.' | sort -n | tail -1)
    megahit_toolkit contig2fastg "$last" "megahit/$1/intermediate_contigs/k$last.contigs.fa" > "megahit/$1/graph.fastg"
    python3 "$here/label_contigs.py" "$folder" "$names" "megahit/$1/final.contigs.fa" "megahit/$1.tsv"
}

header=id,group,assembler,fasta,graph,paths
if [ -n "$fixed" ]; then
    rows="a,$set,metaspades,$bench/$fixed/contigs.fasta.gz,$bench/$fixed/assembly_graph_with_scaffolds.gfa.gz,$bench/$fixed/contigs.paths.gz"
    cp "$here/truth/$fixed.tsv.gz" truth.tsv.gz
elif [ -n "$drawn" ]; then
    # shellcheck disable=SC2086
    [ -e genomes.tsv ] || python3 "$here/simulate_complex.py" "$folder" "$names" . $drawn
    rows="a,$set,megahit,contigs.fna.gz,,"
elif [ -n "$each" ]; then
    rows=''
    for id in ${all//,/ }; do
        assemble "$id" "reads/${id}_1.fastq.gz" "reads/${id}_2.fastq.gz"
        rows+="$id,$set,megahit,megahit/$id/final.contigs.fa,megahit/$id/graph.fastg,"$'\n'
    done
    # A genome in each assembly is one of its own
    awk -F '\t' -v OFS='\t' 'FNR == 1 { if (NR == 1) print; id = FILENAME; gsub(/.*\/|\.tsv$/, "", id); next }
        { print id ":" $1, id ":" $2, $3 }' megahit/*.tsv > truth.tsv
else
    assemble a "$(echo reads/*_1.fastq.gz | tr ' ' ,)" "$(echo reads/*_2.fastq.gz | tr ' ' ,)"
    rows="a,$set,megahit,megahit/a/final.contigs.fa,megahit/a/graph.fastg,"
    cp megahit/a.tsv truth.tsv
fi

if [ "$set" = concoct16 ]; then
    # Depths become RPKM: both are proportional to the reads per base of a sample
    zcat "$bench/concoct16/depth.tsv.gz" > with_length.tsv
    cut -f 1,3- with_length.tsv > depth.tsv
    awk -F '\t' -v OFS='\t' '
        NR == FNR { for (i = 3; i <= NF; i++) bases[i] += $i * $2; next }
        FNR == 1 { $1 = "contigname" }
        FNR > 1 { for (i = 3; i <= NF; i++) $i = sprintf("%.6g", $i * 1e9 / bases[i]) }
        { print }' with_length.tsv with_length.tsv | cut -f 1,3- > abundance.tsv
fi
if [ -z "$reads" ]; then
    header+=,abundance rows+=,abundance.tsv
    input=()
else
    echo sample,group,fastq_1,fastq_2,bam,platform > samples.csv
    for sample in ${samples//,/ }; do
        echo "$sample,$set,reads/${sample}_1.fastq.gz,reads/${sample}_2.fastq.gz,,illumina" >> samples.csv
    done
    input=(--input samples.csv)
fi

printf '%s\n' "$header" "${rows%$'\n'}" > assemblies.csv
nextflow run "$here/.." "${input[@]}" --assembly_input assemblies.csv --outdir results "$@"

seed=1
while [ $# -gt 1 ]; do
    [ "$1" = --seed ] && seed=$2
    shift
done
truth=truth.tsv
[ -e "$truth" ] || truth=truth.tsv.gz
score() { python3 "$here/score.py" "$truth" "results/$set/$1" --set "$name" --seed "$seed" --bins "${@:2}"; }
[ -n "$each" ] || score clusters.tsv clusters
score contig2bin.tsv Binloom --tsv runs.tsv
traces=(results/pipeline_info/trace_*.tsv)
python3 "$here/stages.py" "${traces[-1]}"
