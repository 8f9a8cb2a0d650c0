include { memoryOf ; packedBytes } from '../../../workflows/memory'

// The contigs of a group's assemblies in one FASTA, each under a name of its own.
process CATALOGUE {
    tag "${meta.id}"
    label 'process_single'
    label 'image_core'
    memory { memoryOf(task, [packedBytes(fastas)]) }

    input:
    tuple val(meta), val(ids), path(fastas, stageAs: 'assembly?/*')

    output:
    tuple val(meta), path('catalogue.fa.gz'), emit: fasta
    tuple val(meta), path('contigs.tsv')    , emit: contigs
    tuple val(meta), eval('cut -f 2 contigs.tsv | uniq -c'), emit: sizes // of its assemblies, in contigs
    tuple val(task.process), val('numpy pandas'), eval('python3 -c "from importlib.metadata import version; print(*map(version, \'numpy pandas\'.split()))"'), topic: versions

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
