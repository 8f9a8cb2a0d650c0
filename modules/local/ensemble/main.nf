// Puts given bins beside a group's own clusters, as further pieces.
process ENSEMBLE {
    tag "${meta.id}"
    label 'process_single'
    label 'image_core'

    input:
    tuple val(meta), path(own, stageAs: 'own/*'), path(given, stageAs: 'given/*'), path(contigs)
    val options

    output:
    tuple val(meta), path('clusters.tsv'), emit: clusters
    tuple val(task.process), val('numpy pandas'), eval('python3 -c "from importlib.metadata import version; print(*map(version, \'numpy pandas\'.split()))"'), topic: versions

    script:
    """
    # modules: assembly_tables.py bin_model.py coverage_evidence.py further_pieces.py message_text.py output_files.py pieces.py stage_tables.py table_bytes.py table_columns.py table_output.py
    ensemble.py --contigs ${contigs} --own ${own} --given ${given} ${options} ${task.ext.args ?: ''}
    """

    stub:
    """
    touch clusters.tsv
    """
}
