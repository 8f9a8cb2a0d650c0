// The only place where parameters become options of the stages' scripts.

// The parameters, with what was not given filled in from the preset (assets/presets.json).
def resolveParameters(parameters) {
    def presets = new groovy.json.JsonSlurper().parse(file("${projectDir}/assets/presets.json"))
    def given = parameters.findAll { _name, value -> value != null }
    def of_genes = parameters.catalogue_type == 'genes'
    // An unknown preset is for VALIDATE to refuse.
    def resolved = (presets[parameters.preset ?: (of_genes ? 'genes' : 'default')] ?: [:]) + given
    // In any preset: genes are short, and nothing joins or refines their clusters.
    if (of_genes) {
        def of_preset = ['min_contig_length', 'threshold_scale'].collectEntries { name -> [name, given[name] ?: presets.genes[name]] }
        return resolved + of_preset + [refine_mode: null, markers: false]
    }
    // Without the evidence that joins clusters again, they are cut as wide as the preprint has them.
    if (resolved.refine_mode == 'article' && !given.threshold_scale) {
        resolved.threshold_scale = presets.preprint.threshold_scale
    }
    return resolved
}

// Whether a switch is on. From Nextflow 25.10 on, the strict parser makes text of every value on the command line.
def isOn(value) {
    return "${value}" == 'true'
}

// Named options of a script: `--name=value`, which may be empty; `--name` or `--no_name` for what is true or false;
// nothing for null.
def optionWords(resolved, names) {
    return names.findAll { name -> resolved[name] != null }
        .collect { name -> resolved[name] instanceof Boolean ? (resolved[name] ? "--${name}" : "--no_${name}") : "--${name}=${resolved[name]}" }
        .join(' ')
}

// Options of every stage by its name, what chooses the stages (`of_genes`, `mapper`, `is_ensemble`, `refine_mode`, `markers`,
// `draw_bins`, `umap`, `start_at`) and the files that parameters name.
def stageOptions(parameters) {
    def resolved = resolveParameters(parameters)
    def options = [
        map_reads: ['min_alignment_score', 'min_read_identity', 'min_mapping_quality'],
        features: ['min_contig_length'],
        vae: [
            'latent_size', 'hidden_sizes', 'dropout', 'alpha', 'beta', 'depth', 'length_weights', 'unit_variance',
            'learning_rate', 'schedule', 'epochs', 'batch_size', 'batch_double_at', 'seed',
        ],
        cluster: [
            'threshold_seeds', 'max_close_contigs', 'threshold_scale', 'distance_threshold', 'medoid_patience',
            'max_clusters', 'seed',
        ],
        import_bins: ['min_bin_size'],
        ensemble: ['min_bin_size'],
        refine: ['min_posterior', 'min_bin_size'],
        graphbin2: ['label_score_ratio', 'min_bin_size'],
        bins: ['min_bin_size'],
        benchmark: ['min_bin_size'],
        plan_trials: ['experiments', 'experiment_epochs', 'search_networks', 'search_held_out', 'seed'],
        run_trial: ['min_bin_size'],
        compare: ['min_bin_size'],
    ].collectEntries { stage, names -> [stage, optionWords(resolved, names)] }
    def save = isOn(resolved.save_bam) ? ' --save_bam' : ''
    // Of genes: minimap2's default output, and nothing that only the refinement reads
    def of_genes = resolved.catalogue_type == 'genes'
    def mapped = of_genes ? ' --no_secondary --no_pairs' : ''
    def profiles = of_genes ? ' --no_profiles' : ''
    def chosen = [of_genes: of_genes, mapper: resolved.mapper, is_ensemble: isOn(resolved.ensemble), refine_mode: resolved.refine_mode]
    def markers = [markers: isOn(resolved.markers), marker_hmms: resolved.marker_hmms, draw_bins: resolved.draw_bins, umap: isOn(resolved.umap)]
    def known = [truth: resolved.truth, compared: resolved.compare, quality: resolved.quality, experiments: resolved.experiments]
    def taxa = [genes: isOn(resolved.genes) || resolved.gene_hits, gene_hits: resolved.gene_hits, lineages: resolved.lineages]
    def former = [former_results: resolved.former_results, start_at: resolved.start_at, model: resolved.model]
    return options + [map_reads: options.map_reads + save + mapped, features: options.features + profiles] + chosen + markers + known + taxa + former
}
