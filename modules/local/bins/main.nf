// Writes a group's bins as FASTA, with the tables that describe them and what was left unbinned.
process BINS {
    tag "${meta.id}"
    label 'process_low'
    label 'image_numeric'

    input:
    tuple val(meta), path(catalogue), path(contigs), path(clusters), path(excluded), path(coverage), val(refined_ids), path(contig2bins, stageAs: 'refined?/*'), path(refinements, stageAs: 'refined?/*')

    output:
    tuple val(meta), path('bins/*.fa.gz')  , emit: fasta, optional: true
    tuple val(meta), path('contig2bin.tsv'), path('bins.tsv'), path('unbinned.tsv'), emit: tables
    tuple val(task.process), val('python'), eval('python3 --version | cut -d" " -f2'), topic: versions

    script:
    def refined = [refined_ids, [contig2bins].flatten(), [refinements].flatten()].transpose()
        .collect { id, contig2bin, refinement -> "--refined ${id} ${contig2bin} ${refinement}" }
    """
    bins.py --catalogue ${catalogue} --contigs ${contigs} --clusters ${clusters} --excluded ${excluded} \\
        --coverage ${coverage} ${refined.join(' ')} ${task.ext.args ?: ''}
    """

    stub:
    """
    mkdir bins
    touch bins/stub.001.fa.gz contig2bin.tsv bins.tsv unbinned.tsv
    """
}
