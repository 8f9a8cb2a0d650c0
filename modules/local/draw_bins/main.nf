// Draws the graph of one assembly, coloured by bin.
process DRAW_BINS {
    tag "${meta.group} ${meta.id}"
    label 'process_low'
    label 'image_core'

    input:
    tuple val(meta), path(graph, stageAs: 'graph/*'), path(paths, stageAs: 'paths/*'), path(links), path(contigs), path(contig2bin)
    // links: vertices.tsv.gz and edges.tsv.gz
    val bins // names, separated by commas

    output:
    tuple val(meta), path("${meta.id}.svg")        , emit: picture, optional: true
    tuple val(meta), path("${meta.id}.bandage.csv"), emit: colours
    tuple val(task.process), val(meta), path('warnings.txt'), topic: warnings, optional: true
    tuple val(task.process), val('gfapy numpy pandas'), eval('python3 -c "from importlib.metadata import version; print(*map(version, \'gfapy numpy pandas\'.split()))"'), topic: versions

    script:
    """
    # modules: assembly_graph.py assembly_tables.py graph_layout.py graph_picture.py message_text.py output_files.py report_style.py report_words.py stage_tables.py stage_warnings.py table_bytes.py table_columns.py
    draw_bins.py --assembly ${meta.id} --assembler ${meta.assembler} --graph ${graph} ${paths ? "--paths ${paths}" : ''} \\
        --vertices vertices.tsv.gz --edges edges.tsv.gz --contigs ${contigs} --contig2bin ${contig2bin} --draw_bins=${bins} ${task.ext.args ?: ''}
    """

    stub:
    """
    touch ${meta.id}.svg ${meta.id}.bandage.csv
    """
}
