// Names the taxa of a group's bins by the hits of their genes in a database.
process TAXONOMY {
    tag "${meta.id}"
    label 'process_single'
    label 'image_core'

    input:
    tuple val(meta), path(genes), path(contig2bin)
    path hits, stageAs: 'hits/*' // of the genes of all groups
    path lineages, stageAs: 'lineages/*' // of the subjects that they hit

    output:
    tuple val(meta), path('taxonomy.tsv'), emit: taxonomy
    tuple val(task.process), val(meta), path('warnings.txt'), topic: warnings, optional: true
    tuple val(task.process), val('numpy pandas'), eval('python3 -c "from importlib.metadata import version; print(*map(version, \'numpy pandas\'.split()))"'), topic: versions

    script:
    """
    # modules: bin_scores.py bin_taxonomy.py binner_files.py evaluation_tables.py message_text.py output_files.py stage_tables.py stage_warnings.py table_bytes.py table_columns.py table_output.py
    taxonomy.py --genes ${genes} --contig2bin ${contig2bin} --gene_hits ${hits} --lineages ${lineages} ${task.ext.args ?: ''}
    """

    stub:
    """
    touch taxonomy.tsv
    """
}
