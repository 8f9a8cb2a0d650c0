// Takes files of a group from the results of a former run, once they are known to be of this run's contigs and samples.
process FORMER {
    tag "${meta.id}"
    label 'process_single'
    label 'image_core'

    input:
    tuple val(meta), path(former_contigs, stageAs: 'former_catalogue/*'), path(files, stageAs: 'former/*'), val(samples), path(contigs, stageAs: 'catalogue/*')

    output:
    tuple val(meta), val(samples), path('*.{npy,json,tsv,gz,pt}'), emit: files
    tuple val(task.process), val(meta), path('warnings.txt'), topic: warnings, optional: true
    tuple val(task.process), val('numpy pandas'), eval('python3 -c "from importlib.metadata import version; print(*map(version, \'numpy pandas\'.split()))"'), topic: versions

    script:
    def paths = [files].flatten().collect { file -> "${file}".toString() }
    def known = [features: 'former/features.json', rows: 'former/rows.tsv', latent_json: 'former/latent.json', clusters: 'former/clusters.tsv']
    def checked = known.findAll { _option, path -> path in paths }.collect { option, path -> "--${option} ${path}" }
    """
    # modules: message_text.py output_files.py stage_arrays.py stage_tables.py stage_warnings.py table_bytes.py table_columns.py
    former.py --contigs ${contigs} --former_contigs ${former_contigs} ${samples.collect { id -> "--sample ${id}" }.join(' ')} ${checked.join(' ')}
    cp -L former/* .
    """

    stub:
    """
    cp -L former/* .
    """
}
