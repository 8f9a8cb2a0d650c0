// Scores a group's bins, and those of other binners, against known genomes.
process BENCHMARK {
    tag "${meta.id}"
    label 'process_single'
    label 'image_core'

    input:
    tuple val(meta), path(contigs), path(clusters), path(contig2bin), path(others, stageAs: 'group?/*'), path(truth, stageAs: 'truth/*')
    // others: contigs.tsv of the other groups, which the truth may name
    tuple val(names), path(compared, stageAs: 'compared?/*') // of other binnings
    val options

    output:
    tuple val(meta), path('binnings.tsv')     , emit: binnings
    tuple val(meta), path('genomes_found.tsv'), emit: genomes_found
    tuple val(meta), path('ratios.tsv')       , emit: ratios
    tuple val(meta), path('pairs.tsv.gz')     , emit: pairs
    tuple val(meta), path('best_bins.tsv')    , emit: best_bins
    tuple val(task.process), val(meta), path('warnings.txt'), topic: warnings, optional: true
    tuple val(task.process), val('numpy pandas'), eval('python3 -c "from importlib.metadata import version; print(*map(version, \'numpy pandas\'.split()))"'), topic: versions

    script:
    def other_contigs = [others].flatten().collect { file -> "--other_contigs ${file}" }
    def tables = [names, [compared].flatten()].transpose().collect { name, file -> "--compare ${name} ${file}" }
    """
    # modules: assembly_tables.py bin_scores.py bin_taxonomy.py binner_files.py compared_bins.py contig_names.py evaluation_tables.py message_text.py output_files.py stage_tables.py stage_warnings.py table_bytes.py table_columns.py table_output.py truth_tables.py
    benchmark.py --truth ${truth} --contigs ${contigs} ${other_contigs.join(' ')} --clusters ${clusters} \\
        --contig2bin ${contig2bin} ${tables.join(' ')} ${options} ${task.ext.args ?: ''}
    """

    stub:
    """
    touch binnings.tsv genomes_found.tsv ratios.tsv pairs.tsv.gz best_bins.tsv
    """
}
