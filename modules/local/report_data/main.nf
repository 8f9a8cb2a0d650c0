// Aggregates what the report shows of a group.
process REPORT_DATA {
    tag "${meta.id}"
    label 'process_low'
    label 'image_core'

    input:
    tuple val(meta), path(bins), path(features), path(mappings)
    // mappings: <sample>.mapping.tsv of each sample, or []

    output:
    tuple val(meta), path('report_data.json'), emit: data
    tuple val(task.process), val('numpy'), eval('python3 -c "from importlib.metadata import version; print(version(\'numpy\'))"'), topic: versions
    tuple val(task.process), val('pandas'), eval('python3 -c "from importlib.metadata import version; print(version(\'pandas\'))"'), topic: versions

    script:
    def mapped = [mappings].flatten().collect { table -> "--mapping ${table}" }
    """
    # modules: message_text.py output_files.py report_files.py stage_arrays.py stage_tables.py table_bytes.py table_columns.py
    report_data.py --group ${meta.id} --bins ${bins} --features ${features} ${mapped.join(' ')} ${task.ext.args ?: ''}
    """

    stub:
    """
    touch report_data.json
    """
}
