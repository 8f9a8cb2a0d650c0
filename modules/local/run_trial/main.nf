include { memoryOf ; bytesOf ; heldBytes } from '../../../workflows/memory'

// Runs one trial of the preprint's experiments: encodes the contigs of a group, clusters them, scores the clusters.
process RUN_TRIAL {
    tag "${meta.group} ${meta.id}"
    label 'process_low'
    label 'process_gpu'
    label 'image_torch'
    memory { memoryOf(task, [task.accelerator ? bytesOf([tnf, abundance]) : heldBytes([tnf, abundance]), bytesOf([rows, contigs])]) }

    input:
    tuple val(meta), val(trial), path(tnf), path(abundance), path(depth), path(rows), path(features), path(contigs), path(others, stageAs: 'group?/*')
    // trial: the row of plan.tsv; others: contigs.tsv of the other groups, which the truth may name
    path truth, stageAs: 'truth/*'
    val vae_options
    val cluster_options
    val options

    output:
    tuple val(meta), path('trials.tsv')       , emit: trials
    tuple val(meta), path('genomes_found.tsv'), emit: genomes_found
    tuple val(meta), path('losses.tsv')       , emit: losses
    tuple val(task.process), val('numpy pandas torch'), eval('python3 -c "from importlib.metadata import version; print(*map(version, \'numpy pandas torch\'.split()))"'), topic: versions

    script:
    def other_contigs = [others].flatten().collect { file -> "--other_contigs ${file}" }
    def device = "--device=${task.accelerator ? 'cuda' : 'cpu'}"
    """
    # modules: bin_scores.py binner_files.py checkpoints.py cluster.py contig_names.py distance_threshold.py experiment_tables.py held_out.py input_rows.py medoid_clusters.py memory_estimate.py message_text.py near_points.py network.py output_files.py pearson_distance.py stage_arrays.py stage_tables.py stage_warnings.py table_bytes.py table_columns.py table_output.py trained_model.py training.py truth_tables.py vae.py
    run_trial.py --group ${meta.group} --trial ${meta.id} --experiments ${trial.experiments} --encoder ${trial.encoder} \\
        --vae_options '${vae_options} ${device} --threads=${task.cpus} ${trial.options}' \\
        --cluster_options '${cluster_options} --threads=${task.cpus}' \\
        --tnf ${tnf} --abundance ${abundance} --depth_file ${depth} --rows ${rows} --features ${features} \\
        --contigs ${contigs} ${other_contigs.join(' ')} --truth ${truth} ${options} ${task.ext.args ?: ''}
    """

    stub:
    """
    touch trials.tsv genomes_found.tsv losses.tsv
    """
}
