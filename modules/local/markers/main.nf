include { memoryOf ; bytesOf } from '../../../workflows/memory'

// Which contigs of an assembly hold which single-copy marker genes.
process MARKERS {
    tag "${meta.group} ${meta.id}"
    label 'process_low'
    label 'image_core'
    memory { memoryOf(task, [bytesOf(catalogue)]) }

    input:
    tuple val(meta), path(catalogue), path(contigs)
    path families, stageAs: 'families/*' // what is known of those of the installed packages; beside it, the output would write over it
    path models, stageAs: 'models/*' // of a user, in place of these, or nothing

    output:
    tuple val(meta), path('markers.tsv.gz')     , emit: markers
    tuple val(meta), path('marker_families.tsv'), emit: families
    tuple val(task.process), val(meta), path('warnings.txt'), topic: warnings, optional: true
    tuple val(task.process), val('numpy pandas pyhmmer pyrodigal'), eval('python3 -c "from importlib.metadata import version; print(*map(version, \'numpy pandas pyhmmer pyrodigal\'.split()))"'), topic: versions

    script:
    """
    # modules: assembly_tables.py catalogue_fasta.py gene_finding.py marker_families.py message_text.py output_files.py stage_tables.py stage_warnings.py table_bytes.py table_columns.py table_output.py
    markers.py --assembly ${meta.id} --catalogue ${catalogue} --contigs ${contigs} --threads ${task.cpus} \\
        ${models ? "--marker_hmms ${models}" : "--families ${families}"} ${task.ext.args ?: ''}
    """

    stub:
    """
    touch markers.tsv.gz marker_families.tsv
    """
}
