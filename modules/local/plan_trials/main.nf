// Plans a round of trials of the preprint's experiments.
process PLAN_TRIALS {
    tag "${which}"
    label 'process_single'
    label 'image_core'

    input:
    tuple val(groups), path(trials, stageAs: 'trial?/*') // ids; trials.tsv of the rounds before
    val which
    val options

    output:
    path 'plan.tsv'           , emit: plan
    path 'hyperparameters.tsv', emit: hyperparameters, optional: true
    tuple val(task.process), val('numpy pandas'), eval('python3 -c "from importlib.metadata import version; print(*map(version, \'numpy pandas\'.split()))"'), topic: versions

    script:
    def ids = groups.collect { group -> "--group ${group}" }
    def tables = [trials].flatten().collect { file -> "--trials ${file}" }
    """
    # modules: bin_scores.py experiment_tables.py experiment_trials.py message_text.py output_files.py stage_tables.py table_bytes.py table_columns.py table_output.py
    plan_trials.py --round ${which} ${ids.join(' ')} ${options} ${task.ext.args ?: ''} ${tables.join(' ')}
    """

    stub:
    """
    touch plan.tsv hyperparameters.tsv
    """
}
