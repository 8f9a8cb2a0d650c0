include { memoryOf ; bytesOf } from '../../../workflows/memory'

// Which contigs of an assembly hold the same genes: those of related genomes do.
process HOMOLOGS {
    tag "${meta.id}"
    label 'process_low'
    label 'image_core'
    memory { memoryOf(task, [bytesOf(catalogue)]) }

    input:
    tuple val(meta), path(catalogue), path(contigs)

    output:
    tuple val(meta), path('homologs.tsv.gz'), emit: homologs
    tuple val(task.process), val('numpy pandas'), eval('python3 -c "from importlib.metadata import version; print(*map(version, \'numpy pandas\'.split()))"'), topic: versions

    script:
    """
    # modules: base_digits.py catalogue_fasta.py message_text.py output_files.py stage_tables.py table_bytes.py table_columns.py table_output.py
    homologs.py --catalogue ${catalogue} --contigs ${contigs} ${task.ext.args ?: ''}
    """

    stub:
    """
    touch homologs.tsv.gz
    """
}
