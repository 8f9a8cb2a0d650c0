// One table and a few lines over all groups of the run.
process SUMMARY {
    label 'process_single'
    label 'image_core'

    input:
    tuple val(groups), path(contigs, stageAs: 'group?/*'), path(features, stageAs: 'group?/*'), path(contig2bins, stageAs: 'group?/*'), path(bins, stageAs: 'group?/*')

    output:
    path 'summary.tsv', emit: table
    path 'summary.txt', emit: text
    tuple val(task.process), val('numpy'), eval('python3 -c "from importlib.metadata import version; print(version(\'numpy\'))"'), topic: versions
    tuple val(task.process), val('pandas'), eval('python3 -c "from importlib.metadata import version; print(version(\'pandas\'))"'), topic: versions

    script:
    def tables = [groups, [contigs].flatten(), [features].flatten(), [contig2bins].flatten(), [bins].flatten()].transpose()
        .collect { row -> "--group ${row.join(' ')}" }
    """
    # modules: stage_arrays.py stage_tables.py
    summary.py ${tables.join(' ')}
    """

    stub:
    """
    touch summary.tsv summary.txt
    """
}
