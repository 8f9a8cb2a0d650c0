#!/usr/bin/env bash
# Makes the data of this folder from nothing: reads, assemblies with their graphs, a BAM, the truth.
# Usage: assemble.sh [OUTDIR]   (default: this folder). Needs python3 with numpy and click, SPAdes, MEGAHIT,
# minimap2 and samtools; README.md has the versions. One thread everywhere: more would change the assemblies.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
out=$(mkdir -p "${1:-$here}" && cd "${1:-$here}" && pwd)
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

# metaspades ID READS_1 READS_2: contigs, graph and paths of one assembly
metaspades() {
    spades.py --meta --only-assembler -k 21,33,55 -t 1 -m 8 -1 "$2" -2 "$3" -o "$scratch/$1" > "$scratch/$1.log" || { cat "$scratch/$1.log" >&2; exit 1; }
    gzip -9nc < "$scratch/$1/contigs.fasta" > "$out/$1.contigs.fasta.gz"
    gzip -9nc < "$scratch/$1/assembly_graph_with_scaffolds.gfa" > "$out/$1.graph.gfa.gz"
    gzip -9nc < "$scratch/$1/contigs.paths" > "$out/$1.paths.gz"
}

# shorten ID: NODE_7_length_900_cov_8.1 becomes NODE_7 in all three files, so that names clash between assemblies
shorten() {
    for file in contigs.fasta graph.gfa paths; do
        zcat "$out/$1.$file.gz" | sed -E 's/(NODE_[0-9]+)_length_[0-9]+_cov_[0-9.]+/\1/g' | gzip -9nc > "$scratch/short.gz"
        cp "$scratch/short.gz" "$out/$1.$file.gz"
    done
}

python3 "$here/generate.py" reads --outdir "$out"

# One co-assembly of the three samples (metaSPAdes takes a single library)
for mate in 1 2; do
    cat "$out"/S[123]_$mate.fastq.gz > "$scratch/pool_$mate.fastq.gz"
done
metaspades co "$scratch/pool_1.fastq.gz" "$scratch/pool_2.fastq.gz"

# One assembly for each of two samples
for sample in 1 2; do
    metaspades "A$sample" "$out/S${sample}_1.fastq.gz" "$out/S${sample}_2.fastq.gz"
    shorten "A$sample"
done

# MEGAHIT on the reads of two genomes, and the graph of its contigs as FASTG
python3 "$here/generate.py" reads --outdir "$scratch/mh_reads" --only g4 --only g5
for mate in 1 2; do
    cat "$scratch"/mh_reads/S[123]_$mate.fastq.gz > "$scratch/mh_$mate.fastq.gz"
done
megahit -t 1 --k-list 21,41,61 -1 "$scratch/mh_1.fastq.gz" -2 "$scratch/mh_2.fastq.gz" -o "$scratch/mh" 2> "$scratch/mh.log" || { cat "$scratch/mh.log" >&2; exit 1; }
gzip -9nc < "$scratch/mh/final.contigs.fa" > "$out/mh.contigs.fasta.gz"
megahit_toolkit contig2fastg 61 "$scratch/mh/final.contigs.fa" | gzip -9nc > "$out/mh.graph.fastg.gz"

# One sample mapped to the co-assembly, coordinate-sorted. Run where the files are, so that the header has no folder in
# it, and without the tags that nobody reads.
(cd "$out" && minimap2 -a -x sr --secondary=yes -N 20 -p 0.8 -t 1 co.contigs.fasta.gz S3_1.fastq.gz S3_2.fastq.gz 2> /dev/null) |
    samtools sort --no-PG -u -T "$scratch/sort" - |
    samtools view --no-PG --keep-tag AS,NM,SA,tp -b --output-fmt-option level=9 -o "$out/co.S3.bam" -

python3 "$here/generate.py" truth --outdir "$out"
