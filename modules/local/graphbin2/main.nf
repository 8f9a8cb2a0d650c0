include { memoryOf ; bytesOf } from '../../../workflows/memory'

// Corrects, completes and overlaps the bins of one assembly along its graph, as GraphBin2's article has it.
process GRAPHBIN2 {
    tag "${meta.group} ${meta.id}"
    label 'process_low'
    label 'image_core'
    memory { memoryOf(task, [bytesOf(contigs)]) }

    input:
    tuple val(meta), path(graph), path(contigs), path(clusters), path(coverage) // graph: vertices.tsv.gz, edges.tsv.gz
    val options

    output:
    tuple val(meta), path('contig2bin.tsv') , emit: contig2bin
    tuple val(meta), path('refinement.tsv') , emit: refinement
    tuple val(meta), path('refinement.json'), emit: json
    tuple val(task.process), val('numpy pandas'), eval('python3 -c "from importlib.metadata import version; print(*map(version, \'numpy pandas\'.split()))"'), topic: versions

    script:
    """
    # modules: assembly_tables.py message_text.py output_files.py stage_arrays.py stage_tables.py table_bytes.py table_columns.py table_output.py
    graphbin2.py --assembly ${meta.id} --vertices vertices.tsv.gz --edges edges.tsv.gz \\
        --contigs ${contigs} --clusters ${clusters} --coverage ${coverage} ${options} ${task.ext.args ?: ''}
    """

    stub:
    """
    touch contig2bin.tsv refinement.tsv refinement.json
    """
}
