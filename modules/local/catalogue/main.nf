// The contigs of a group's assemblies in one FASTA, each under a name of its own.
process CATALOGUE {
    tag "${meta.id}"
    label 'process_single'
    label 'image_core'

    input:
    tuple val(meta), val(ids), path(fastas, stageAs: 'assembly?/*')

    output:
    tuple val(meta), path('catalogue.fa.gz'), emit: fasta
    tuple val(meta), path('contigs.tsv')    , emit: contigs
    tuple val(task.process), val('numpy'), eval('python3 -c "from importlib.metadata import version; print(version(\'numpy\'))"'), topic: versions
    tuple val(task.process), val('pandas'), eval('python3 -c "from importlib.metadata import version; print(version(\'pandas\'))"'), topic: versions

    script:
    def assemblies = [ids, [fastas].flatten()].transpose().collect { id, fasta -> "--assembly ${id} ${fasta}" }
    """
    # modules: message_text.py output_files.py stage_tables.py table_bytes.py table_columns.py table_output.py
    catalogue.py ${assemblies.join(' ')}
    """

    stub:
    """
    touch catalogue.fa.gz contigs.tsv
    """
}
