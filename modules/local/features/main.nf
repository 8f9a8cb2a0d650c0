include { memoryOf ; bytesOf ; packedBytes } from '../../../workflows/memory'

// Composition and abundance of a group's contigs as matrices.
process FEATURES {
    tag "${meta.id}"
    label 'process_low'
    label 'image_core'
    memory { memoryOf(task, [bytesOf(contigs), packedBytes(abundance_table)]) }

    input:
    tuple val(meta), path(catalogue), path(contigs), path(counts), path(mapping), path(pairs), path(abundance_table, stageAs: 'table/*')
    val options

    output:
    tuple val(meta), path('tnf.npy')             , emit: tnf
    tuple val(meta), path('abundance.npy')       , emit: abundance
    tuple val(meta), path('depth.npy')           , emit: depth
    tuple val(meta), path('rows.tsv')            , emit: rows
    tuple val(meta), path('features.json')       , emit: json
    tuple val(meta), path('tetranucleotides.npy'), emit: tetranucleotides, optional: true
    tuple val(meta), path('coverage.tsv.gz')     , emit: coverage, optional: true
    tuple val(meta), path('edits.tsv.gz')        , emit: edits, optional: true
    tuple val(meta), path('rpkm.tsv.gz')         , emit: rpkm, optional: true
    tuple val(meta), path('excluded.tsv')        , emit: excluded
    tuple val(meta), path('pair_links.tsv.gz')   , emit: pair_links, optional: true
    tuple val(task.process), val(meta), path('warnings.txt'), topic: warnings, optional: true
    tuple val(task.process), val('numpy pandas'), eval('python3 -c "from importlib.metadata import version; print(*map(version, \'numpy pandas\'.split()))"'), topic: versions

    script:
    def source = abundance_table
        ? "--abundance ${abundance_table}"
        : [counts: counts, mapping: mapping, pairs: pairs]
            .collectMany { option, files -> [files].flatten().collect { file -> "--${option} ${file}" } }.join(' ')
    """
    # modules: abundances.py base_digits.py catalogue_fasta.py key_counts.py message_text.py output_files.py pair_links.py sample_columns.py stage_arrays.py stage_tables.py stage_warnings.py table_bytes.py table_columns.py table_output.py tetranucleotides.py
    features.py --catalogue ${catalogue} --contigs ${contigs} ${source} ${options} ${task.ext.args ?: ''}
    """

    stub:
    def profiles = options.contains('--no_profiles') ? '' : 'tetranucleotides.npy coverage.tsv.gz edits.tsv.gz rpkm.tsv.gz pair_links.tsv.gz'
    """
    touch tnf.npy abundance.npy depth.npy rows.tsv features.json excluded.tsv ${profiles}
    """
}
