// What a run takes from the results of a former one: --former_results names their folder, --start_at what is taken.

// Published files of the stages whose work may be taken, in the folder of a group, by the names of the stages' outputs
def publishedFiles() {
    return [
        features: [
            tnf: 'features/tnf.npy', abundance: 'features/abundance.npy', depth: 'features/depth.npy', rows: 'features/rows.tsv', json: 'features/features.json',
            tetranucleotides: 'features/tetranucleotides.npy', coverage: 'features/coverage.tsv.gz', edits: 'features/edits.tsv.gz',
            rpkm: 'features/rpkm.tsv.gz', excluded: 'features/excluded.tsv', pair_links: 'features/pair_links.tsv.gz',
        ],
        vae: [latent: 'vae/latent.npy', json: 'vae/latent.json', model: 'vae/model.pt', training: 'vae/training.tsv'],
        cluster: [clusters: 'clusters.tsv', threshold: 'cluster/threshold.json'],
    ]
}

// The same of a sample, in the order of counts, mapping and pairs
def countFiles(sample) {
    return ['counts.tsv.gz', 'mapping.tsv', 'pairs.tsv.gz'].collect { name -> "abundance/${sample}.${name}".toString() }
}

// Those of some files that a run has: one of a gene catalogue does not write what only the refinement reads
def writtenFiles(names, of_genes) {
    def files = publishedFiles().features
    def of_contigs = [files.tetranucleotides, files.coverage, files.edits, files.rpkm, files.pair_links]
    return names.findAll { name -> !of_genes || !(name in of_contigs || name.endsWith('.pairs.tsv.gz')) }
}

// Stages that a run does not run for any group, since it starts behind them
def takenStages(start_at) {
    return [features: ['features'], latent: ['features', 'vae'], clusters: ['features', 'vae', 'cluster']]["${start_at}".toString()] ?: []
}

// A file in the folder of a group
def formerFile(folder, group, name) {
    return file("${folder}", glob: false).resolve(group).resolve(name)
}

// Whether the counts of a sample are taken. Behind them, those of all samples are.
def isTaken(folder, start_at, of_genes, group, sample) {
    return folder && (start_at != 'counts' || writtenFiles(countFiles(sample), of_genes).every { name -> formerFile(folder, group, name).exists() })
}

// The files that are taken for a group, by their names in its folder; its contigs come first, if there are any
def takenNames(start_at, of_genes, samples) {
    def stages = takenStages(start_at).collectMany { stage -> publishedFiles()[stage].values() }
    def names = writtenFiles(samples.collectMany { sample -> countFiles(sample) } + stages, of_genes)
    return names ? ['catalogue/contigs.tsv'] + names : []
}

// What FORMER takes for a group: [ contigs.tsv, files, samples ], whose files are none if nothing is taken
def formerFiles(folder, start_at, of_genes, group, samples) {
    def files = takenNames(start_at, of_genes, samples).collect { name -> formerFile(folder, group, name) }
    return files ? [files.head(), files.tail(), samples] : [[], [], []]
}

// Rows of [ group, samples, taken files ] as a row of each sample, [ [id, group], counts, mapping, pairs ]
def formerCounts(rows) {
    return rows.flatMap { group, samples, files ->
        def by_name = files.collectEntries { file -> [file.name, file] }
        samples.collect { id -> [[id: id, group: group.id]] + countFiles(id).collect { name -> by_name[name.tokenize('/').last()] ?: [] } }
    }
}

// The outputs of a stage by their names, each with the files that are taken in place of them. `stage` has the outputs by
// the name of the stage: Nextflow makes an argument of each output where they are one themselves.
def withFormer(stage, rows) {
    return stage.collectMany { name, outputs ->
        publishedFiles()[name].collect { output, path ->
            def taken = rows.map { group, _samples, files -> [group, files.find { file -> file.name == path.tokenize('/').last() }] }
            [output, outputs.getProperty(output).mix(taken.filter { _group, file -> file })]
        }
    }.collectEntries()
}

// Whether two paths are of one folder
def isSameFolder(one, other) {
    def paths = [one, other].collect { path -> path.toAbsolutePath().normalize() }
    return paths[0] == paths[1] || (paths.every { path -> path.toUri().scheme == 'file' && path.exists() } && paths[0].toRealPath() == paths[1].toRealPath())
}

// Why the results of a former run cannot be used, by their folder or the first file that is missing; nothing if they can
// be. `samples` has rows of group and sample of the sheet, `groups` all groups.
def formerProblems(folder, start_at, of_genes, outdir, samples, groups) {
    def path = file("${folder}", glob: false)
    if (!path.exists()) {
        return [(folder): 'does not exist: name the folder of results (--outdir) of a former run']
    }
    if (isSameFolder(path, file("${outdir}", glob: false))) {
        return [(folder): 'is --outdir, too: name another folder for the results of this run by --outdir']
    }
    def taken = samples.findAll { group, sample -> isTaken(folder, start_at, of_genes, group, sample) }
    if (start_at == 'counts' && !taken) {
        def example = samples ? " (for example ${countFiles(samples[0][1]).collect { name -> "${samples[0][0]}/${name}" }.join(', ')})" : ''
        return [(folder): "has the counts of no sample of the sample sheet${example}: name the folder of results (--outdir) of a run that mapped some of them".toString()]
    }
    def missing = groups.collectMany { group ->
        takenNames(start_at, of_genes, taken.findAll { row -> row[0] == group }.collect { row -> row[1] })
            .collect { name -> formerFile(folder, group, name) }
            .findAll { file -> !file.exists() }
    }
    if (!missing) {
        return [:]
    }
    def others = missing.size() > 1 ? " (one of ${missing.size()} missing files)" : ''
    def remedy = start_at == 'counts' ? '' : ', or start at counts, which maps the samples that it does not have'
    return [(missing[0].toUriString()): "does not exist${others}, but --start_at ${start_at} takes it: name the whole results of a former run${remedy}".toString()]
}

// Names of the parameters of the stages whose work may be taken, by the stage
def stageParameters(options) {
    def further = [map_reads: ['mapper', 'save_bam'], features: [], vae: ['checkpoint_dir', 'checkpoint_every'], cluster: []]
    return further.collectEntries { stage, more -> [stage, (more + options[stage].findAll(/--(\w+)/) { _word, name -> name }).unique()] }
}

// Parameters that have no effect, as the stages that they are of do not run or do not train: their names
def idleParameters(options) {
    def names = stageParameters(options)
    def taken = takenStages(options.start_at)
    def idle = (taken ? ['map_reads'] + taken : []) + (options.model ? ['vae'] : [])
    // The experiments train and cluster by themselves
    def running = names.keySet() - idle + (options.experiments ? ['vae', 'cluster'] : [])
    return idle.collectMany { stage -> names[stage] } + ('vae' in taken ? ['model'] : []) - running.collectMany { stage -> names[stage] }
}

// Warns of what the user typed and what has no effect. `typed` has names of parameters.
def warnOfIdleParameters(options, typed) {
    def idle = idleParameters(options).unique().findAll { name -> name in typed }
    if (idle) {
        def taken = takenStages(options.start_at)
        def causes = (taken ? ["--start_at ${options.start_at} takes the results of stages"] : []) + (options.model && !('vae' in taken) ? ['the network of --model is trained'] : [])
        log.warn("Without effect: ${idle.collect { name -> "--${name}" }.join(', ')}, since ${causes.join(' and ')}")
    }
    def of_mapping = stageParameters(options).map_reads.findAll { name -> name in typed }
    if (options.start_at == 'counts' && of_mapping) {
        log.warn("Without effect on samples whose counts are taken (--start_at counts): ${of_mapping.collect { name -> "--${name}" }.join(', ')}")
    }
}
