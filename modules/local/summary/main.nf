// One table and a few lines over all groups of the run.
process SUMMARY {
    label 'process_single'
    label 'image_core'

    input:
    tuple val(groups), path(contigs, stageAs: 'group?/*'), path(features, stageAs: 'group?/*'), path(contig2bins, stageAs: 'group?/*'), path(bins, stageAs: 'group?/*'), path(gene_clusters, stageAs: 'group?/*')
    // of gene catalogues gene_clusters.tsv of each group, else contig2bin.tsv and bins.tsv
    val warnings // as JSON: stage, group, id and warning of each

    output:
    path 'summary.tsv', emit: table
    path 'summary.json', emit: json
    path 'summary.txt', emit: text
    path 'warnings.tsv', emit: warnings
    tuple val(task.process), val('numpy pandas'), eval('python3 -c "from importlib.metadata import version; print(*map(version, \'numpy pandas\'.split()))"'), topic: versions

    script:
    def option = gene_clusters ? '--gene_group' : '--group'
    def columns = [groups] + (gene_clusters ? [contigs, features, gene_clusters] : [contigs, features, contig2bins, bins]).collect { files -> [files].flatten() }
    def tables = columns.transpose().collect { row -> "${option} ${row.join(' ')}" }
    """
    # modules: gene_tables.py message_text.py output_files.py report_files.py stage_arrays.py stage_tables.py table_bytes.py table_columns.py table_output.py
    cat > given_warnings.json <<'END_OF_WARNINGS'
    ${warnings}
    END_OF_WARNINGS
    summary.py ${tables.join(' ')} --warnings given_warnings.json
    """

    stub:
    """
    touch summary.tsv summary.json summary.txt warnings.tsv
    """
}
