// Corrects and completes the bins of one assembly by coverage, composition and, where there is one, its graph.
process REFINE {
    tag "${meta.group} ${meta.id}"
    label 'process_low'
    label 'image_numeric'

    input:
    tuple val(meta), path(vertices), path(edges), path(contigs), path(clusters), path(coverage), path(tetranucleotides), path(features), path(homologs)

    output:
    tuple val(meta), path('contig2bin.tsv'), path('refinement.tsv'), path('refinement.json'), emit: refined
    tuple val(task.process), val('numpy'), eval('python3 -c "from importlib.metadata import version; print(version(\'numpy\'))"'), topic: versions

    script:
    """
    refine.py --assembly ${meta.id} ${vertices ? "--vertices ${vertices} --edges ${edges}" : ''} --contigs ${contigs} \\
        --clusters ${clusters} --coverage ${coverage} --tetranucleotides ${tetranucleotides} --features ${features} \\
        --homologs ${homologs} ${task.ext.args ?: ''}
    """

    stub:
    """
    touch contig2bin.tsv refinement.tsv refinement.json
    """
}
