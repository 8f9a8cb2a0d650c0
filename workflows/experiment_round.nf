include { PLAN_TRIALS } from '../modules/local/plan_trials/main'
include { RUN_TRIAL   } from '../modules/local/run_trial/main'

// A round of trials: they are planned from what the rounds before found, and run side by side.
workflow EXPERIMENT_ROUND {
    take:
    which       // first, second or final
    ch_plan     // [ ids of the groups, trials.tsv of the rounds before ], once or never
    ch_features // [ group, tnf, abundance, depth, rows, features.json, contigs, contigs of the other groups ]
    options     // map of workflows/options.nf

    main:
    PLAN_TRIALS(ch_plan, which, options.plan_trials)
    RUN_TRIAL(
        PLAN_TRIALS.out.plan.splitCsv(header: true, sep: '\t')
            .map { row -> [[id: row.group], [id: row.trial, group: row.group], row] }
            .combine(ch_features, by: 0)
            .map { row -> row.tail() },
        options.truth ? file("${options.truth}", glob: false) : [],
        options.vae,
        options.cluster,
        options.run_trial
    )

    trials          = RUN_TRIAL.out.trials
    genomes_found   = RUN_TRIAL.out.genomes_found
    losses          = RUN_TRIAL.out.losses
    hyperparameters = PLAN_TRIALS.out.hyperparameters

    emit: // each name is assigned above, which the strict parser of Nextflow 25.04 needs
    trials          = trials          // [ [id, group], trials.tsv ]
    genomes_found   = genomes_found   // [ [id, group], genomes_found.tsv ]
    losses          = losses          // [ [id, group], losses.tsv ]
    hyperparameters = hyperparameters // hyperparameters.tsv, of the final round alone
}
