// Corrects, completes and overlaps the bins of one assembly along its graph, as GraphBin2's article has it.
process GRAPHBIN2 {
    tag "${meta.group} ${meta.id}"
    label 'process_low'
    label 'image_numeric'

    input:
    tuple val(meta), path(vertices), path(edges), path(contigs), path(clusters), path(coverage)

    output:
    tuple val(meta), path('contig2bin.tsv'), path('refinement.tsv'), path('refinement.json'), emit: refined
    tuple val(task.process), val('numpy'), eval('python3 -c "from importlib.metadata import version; print(version(\'numpy\'))"'), topic: versions

    script:
    """
    graphbin2.py --assembly ${meta.id} --vertices ${vertices} --edges ${edges} \\
        --contigs ${contigs} --clusters ${clusters} --coverage ${coverage} ${task.ext.args ?: ''}
    """

    stub:
    """
    touch contig2bin.tsv refinement.tsv refinement.json
    """
}
