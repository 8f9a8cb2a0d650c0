include { memoryOf ; bytesOf ; heldBytes } from '../../../workflows/memory'

// Trains the variational autoencoder on a group's features, or takes a trained one, and gives the latent means.
process VAE {
    tag "${meta.id}"
    label 'process_low'
    label 'process_gpu'
    label 'image_torch'
    memory { memoryOf(task, [task.accelerator ? bytesOf([tnf, abundance]) : heldBytes([tnf, abundance]), bytesOf(rows)]) }

    input:
    tuple val(meta), path(tnf), path(abundance), path(depth), path(rows), path(features)
    val options
    path model, stageAs: 'trained/*' // or []

    output:
    tuple val(meta), path('latent.npy')  , emit: latent
    tuple val(meta), path('latent.json') , emit: json
    tuple val(meta), path('model.pt')    , emit: model
    tuple val(meta), path('training.tsv'), emit: training
    tuple val(task.process), val(meta), path('warnings.txt'), topic: warnings, optional: true
    tuple val(task.process), val('numpy pandas torch'), eval('python3 -c "from importlib.metadata import version; print(*map(version, \'numpy pandas torch\'.split()))"'), topic: versions

    script:
    """
    # modules: checkpoints.py held_out.py input_rows.py memory_estimate.py message_text.py network.py output_files.py stage_arrays.py stage_tables.py stage_warnings.py table_bytes.py table_columns.py table_output.py trained_model.py training.py
    vae.py --tnf ${tnf} --abundance ${abundance} --depth_file ${depth} --rows ${rows} --features ${features} \\
        --device ${task.accelerator ? 'cuda' : 'cpu'} --threads ${task.cpus} ${options} ${model ? "--model ${model}" : ''} ${task.ext.args ?: ''}
    """

    stub:
    """
    touch latent.npy latent.json model.pt training.tsv
    """
}
