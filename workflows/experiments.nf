include { EXPERIMENT_ROUND as FIRST_ROUND  } from './experiment_round'
include { EXPERIMENT_ROUND as SECOND_ROUND } from './experiment_round'
include { EXPERIMENT_ROUND as FINAL_ROUND  } from './experiment_round'
include { sortedTables                     } from './channels'

// The preprint's experiments on the features of a run (--experiments): each trial is a task, for all groups alike. Only
// the search has a second round and a final one.
workflow EXPERIMENTS {
    take:
    ch_features // [ group, tnf, abundance, depth, rows, features.json, contigs ]
    options     // map of workflows/options.nf

    main:
    def is_search = 'search' in "${options.experiments ?: ''}".tokenize(',')*.trim()
    ch_all = ch_features.filter { _row -> options.experiments }
        .toSortedList { a, b -> a.head().id <=> b.head().id }
        .filter { groups -> groups }
    ch_groups = ch_all.map { groups -> [groups*.head()*.id] }
    // A truth may be of several groups, whose contigs have names in common
    ch_known = ch_all.flatMap { groups -> groups.collect { row -> row + [groups.findAll { other -> other != row }*.last()] } }

    FIRST_ROUND('first', ch_groups.map { row -> row + [[]] }, ch_known, options)
    ch_first = FIRST_ROUND.out.trials
    SECOND_ROUND('second', ch_groups.combine(sortedTables(ch_first).filter { _row -> is_search }), ch_known, options)
    ch_second = SECOND_ROUND.out.trials
    FINAL_ROUND('final', ch_groups.combine(sortedTables(ch_first.mix(ch_second)).filter { _row -> is_search }), ch_known, options)

    // One table of each kind, over all groups
    ch_trials = sortedTables(ch_first.mix(ch_second).mix(FINAL_ROUND.out.trials)).flatten()
        .collectFile(name: 'trials.tsv', keepHeader: true, skip: 1, sort: false)
    ch_genomes = sortedTables(FIRST_ROUND.out.genomes_found.mix(SECOND_ROUND.out.genomes_found).mix(FINAL_ROUND.out.genomes_found)).flatten()
        .collectFile(name: 'genomes_found.tsv', keepHeader: true, skip: 1, sort: false)
    ch_losses = sortedTables(FIRST_ROUND.out.losses.mix(SECOND_ROUND.out.losses).mix(FINAL_ROUND.out.losses)).flatten()
        .collectFile(name: 'losses.tsv', keepHeader: true, skip: 1, sort: false)
    results = ch_trials.mix(ch_genomes).mix(ch_losses).mix(FINAL_ROUND.out.hyperparameters)
        .map { file -> ['experiments', file] }

    emit: // each name is assigned above, which the strict parser of Nextflow 25.04 needs
    results = results // [ folder, file ]: everything that is published
}
