include { memoryOf ; bytesOf } from '../../../workflows/memory'

// Cuts the latent space into clusters around medoids.
process CLUSTER {
    tag "${meta.id}"
    label 'process_medium'
    label 'image_torch'
    memory { memoryOf(task, [bytesOf(latent), bytesOf([rows, contigs])]) }

    input:
    tuple val(meta), path(latent), path(latent_json), path(rows), path(contigs)
    val options

    output:
    tuple val(meta), path('clusters.tsv')  , emit: clusters
    tuple val(meta), path('threshold.json'), emit: threshold
    tuple val(task.process), val(meta), path('warnings.txt'), topic: warnings, optional: true
    tuple val(task.process), val('numpy pandas torch'), eval('python3 -c "from importlib.metadata import version; print(*map(version, \'numpy pandas torch\'.split()))"'), topic: versions

    script:
    """
    # modules: distance_threshold.py medoid_clusters.py message_text.py near_points.py output_files.py pearson_distance.py stage_arrays.py stage_tables.py stage_warnings.py table_bytes.py table_columns.py table_output.py
    cluster.py --latent ${latent} --latent_json ${latent_json} --rows ${rows} --contigs ${contigs} \\
        --threads ${task.cpus} ${options} ${task.ext.args ?: ''}
    """

    stub:
    """
    touch clusters.tsv threshold.json
    """
}
