// Takes the bins that a user gives for a group's assemblies as the clusters of the group.
process IMPORT_BINS {
    tag "${meta.id}"
    label 'process_single'
    label 'image_core'

    input:
    tuple val(meta), val(binnings), path(bins, stageAs: 'given?/*'), path(contigs)
    // binnings: for each of the files, id of its assembly and number of the binning that it is of
    val options

    output:
    tuple val(meta), path('clusters.tsv'), emit: clusters
    tuple val(task.process), val(meta), path('warnings.txt'), topic: warnings, optional: true
    tuple val(task.process), val('numpy pandas'), eval('python3 -c "from importlib.metadata import version; print(*map(version, \'numpy pandas\'.split()))"'), topic: versions

    script:
    def given = [binnings, [bins].flatten()].transpose().collect { binning, file -> "--bins ${binning} ${file}" }
    """
    # modules: assembly_tables.py bin_model.py binner_files.py coverage_evidence.py further_pieces.py message_text.py output_files.py pieces.py stage_tables.py stage_warnings.py table_bytes.py table_columns.py table_output.py
    import_bins.py --contigs ${contigs} ${given.join(' ')} ${options} ${task.ext.args ?: ''}
    """

    stub:
    """
    touch clusters.tsv
    """
}
