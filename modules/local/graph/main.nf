include { memoryOf ; bytesOf } from '../../../workflows/memory'

// Reduces the assembly graph of one assembly to the graph of its contigs.
process GRAPH {
    tag "${meta.group} ${meta.id}"
    label 'process_low'
    label 'image_core'
    memory { memoryOf(task, [bytesOf(contigs)]) }

    input:
    tuple val(meta), path(graph, stageAs: 'graph/*'), path(paths, stageAs: 'paths/*'), path(catalogue), path(contigs)

    output:
    tuple val(meta), path('{vertices,edges}.tsv.gz'), emit: graph
    tuple val(meta), path('graph.json')              , emit: json
    tuple val(task.process), val(meta), path('warnings.txt'), topic: warnings, optional: true
    tuple val(task.process), val('gfapy numpy pandas'), eval('python3 -c "from importlib.metadata import version; print(*map(version, \'gfapy numpy pandas\'.split()))"'), topic: versions

    script:
    """
    # modules: assembly_graph.py assembly_tables.py catalogue_fasta.py graph_checks.py message_text.py output_files.py stage_arrays.py stage_tables.py stage_warnings.py table_bytes.py table_columns.py table_output.py
    graph.py --assembly ${meta.id} --assembler ${meta.assembler} --graph ${graph} ${paths ? "--paths ${paths}" : ''} \\
        --contigs ${contigs} --catalogue ${catalogue} ${task.ext.args ?: ''}
    """

    stub:
    """
    touch vertices.tsv.gz edges.tsv.gz graph.json
    """
}
