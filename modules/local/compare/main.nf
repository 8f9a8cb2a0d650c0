// Holds a group's bins against those of other binners, by what they have in common and by their quality.
process COMPARE {
    tag "${meta.id}"
    label 'process_single'
    label 'image_core'

    input:
    tuple val(meta), path(contigs), path(contig2bin), path(coverage), path(others, stageAs: 'group?/*')
    // others: contigs.tsv of the other groups, which the tables may name
    tuple val(names), path(compared, stageAs: 'compared?/*') // of other binnings
    tuple val(rated), path(qualities, stageAs: 'quality?/*') // names of binnings and tables of their quality
    val options

    output:
    tuple val(meta), path('compared_bins.tsv'), emit: compared_bins
    tuple val(meta), path('common_bins.tsv')  , emit: common_bins
    tuple val(meta), path('differences.tsv')  , emit: differences
    tuple val(meta), path('tiers.tsv')        , emit: tiers
    tuple val(task.process), val(meta), path('warnings.txt'), topic: warnings, optional: true
    tuple val(task.process), val('numpy pandas'), eval('python3 -c "from importlib.metadata import version; print(*map(version, \'numpy pandas\'.split()))"'), topic: versions

    script:
    def other_contigs = [others].flatten().collect { file -> "--other_contigs ${file}" }
    def tables = [names, [compared].flatten()].transpose().collect { name, file -> "--compare ${name} ${file}" }
    def quality = [rated, [qualities].flatten()].transpose().collect { name, file -> "--quality ${name} ${file}" }
    """
    # modules: assembly_tables.py bin_scores.py bin_taxonomy.py binner_files.py common_bins.py compared_bins.py contig_names.py evaluation_tables.py message_text.py output_files.py quality_tables.py stage_tables.py stage_warnings.py table_bytes.py table_columns.py table_output.py
    compare.py --contigs ${contigs} ${other_contigs.join(' ')} --contig2bin ${contig2bin} --coverage ${coverage} \\
        ${tables.join(' ')} ${quality.join(' ')} ${options} ${task.ext.args ?: ''}
    """

    stub:
    """
    touch compared_bins.tsv common_bins.tsv differences.tsv tiers.tsv
    """
}
