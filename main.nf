#!/usr/bin/env nextflow

include { VALIDATE } from './modules/local/validate/main'
include { BINNING  } from './workflows/binning'

// A file that a sheet names: a relative path starts at the sheet's own folder.
def sheetFile(sheet, name) {
    if (!name) {
        return []
    }
    def absolute = name.startsWith('/') || name =~ /^[A-Za-z][A-Za-z0-9+.-]*:\/\//
    return absolute ? file(name, glob: false) : file(sheet).parent.resolve(name)
}

// The files that a sheet names and that do not exist. A sheet that cannot be read is for VALIDATE to complain about.
def missingFiles(sheet, columns) {
    if (!(sheet instanceof CharSequence) || !file(sheet).isFile()) {
        return []
    }
    def rows = []
    try {
        rows = file(sheet).splitCsv(header: true, strip: true, quote: '"')
    }
    catch (Exception _e) {
        return []
    }
    def names = rows.collectMany { row -> columns.collect { column -> row[column] } }.findAll()
    return names.unique().findAll { name -> !sheetFile(sheet, name).exists() }
}

// The folder of training's checkpoints (conf/modules.config has the same rule): container engines mount only what exists.
// On AWS Batch it may be the tasks' alone, which then make it themselves.
def makeCheckpointFolder() {
    if (!params.checkpoint_dir && workflow.workDir.toUri().scheme != 'file') {
        log.info("Training leaves no checkpoints: the work directory ${workflow.workDir.toUriString()} is no file system, so that a training that is killed starts anew. Name a folder that the training tasks share by --checkpoint_dir")
        return
    }
    def folder = params.checkpoint_dir ?: "${workflow.workDir}/checkpoints"
    if (folder instanceof CharSequence && folder.startsWith('/')) {
        file(folder, glob: false).mkdirs()
    }
}

// Parameters and what they mean, from nextflow_schema.json
def helpText() {
    def schema = new groovy.json.JsonSlurper().parse(file("${projectDir}/nextflow_schema.json"))
    def lines = ['nextflow run . --input samples.csv --assembly_input assemblies.csv --outdir results -profile <docker|singularity|slurm|...>']
    schema['$defs'].each { _name, section ->
        lines << "\n${section.title}"
        section.properties.each { name, property ->
            def standing = property.containsKey('default') ? " [${property.default}]" : ''
            lines << "  --${name.padRight(20)} ${property.description}${standing}"
        }
    }
    return lines.join('\n')
}

workflow {
    main:
    if (params.help) {
        println helpText()
        exit 0
    }
    // The strict parser of Nextflow 25.04 does not apply --outdir in the config, where Nextflow looks for it
    if (file("${params.outdir}").toAbsolutePath().normalize() != workflow.outputDir.toAbsolutePath().normalize()) {
        error("--outdir says ${params.outdir} but Nextflow would publish into ${workflow.outputDir}: give both --outdir and -output-dir, with the same folder")
    }

    // Existence is asked here, where every file system that Nextflow knows is at hand
    def request = groovy.json.JsonOutput.toJson([
        params: params,
        missing: missingFiles(params.input, ['fastq_1', 'fastq_2', 'bam']) + missingFiles(params.assembly_input, ['fasta', 'graph', 'paths', 'abundance']),
        sheet_names: [input: params.input, assembly_input: params.assembly_input],
    ])
    def sheets = [params.input, params.assembly_input].collect { sheet -> sheet instanceof CharSequence && file(sheet).exists() ? file(sheet) : [] }
    def schemas = ['nextflow_schema.json', 'assets/schema_input.json', 'assets/schema_assembly_input.json']
    VALIDATE(request, sheets[0], sheets[1], schemas.collect { name -> file("${projectDir}/${name}") })

    VALIDATE.out.problems.subscribe { problems ->
        if (problems.size() > 0) {
            error(problems.text.trim())
        }
    }

    // Everything else hangs on these rows, and there are none as long as there is a problem
    ch_sheets = VALIDATE.out.sheets.map { json -> new groovy.json.JsonSlurper().parse(json) }
    ch_samples = ch_sheets.flatMap { sheet -> sheet.samples }.map { row ->
        def reads = [row.fastq_1, row.fastq_2].findAll().collect { name -> sheetFile(params.input, name) }
        [[id: row.sample, group: row.group, platform: row.platform], reads, sheetFile(params.input, row.bam)]
    }
    ch_assemblies = ch_sheets.flatMap { sheet -> sheet.assemblies }.map { row ->
        def (fasta, graph, paths, table) = [row.fasta, row.graph, row.paths, row.abundance].collect { name -> sheetFile(params.assembly_input, name) }
        [[id: row.id, group: row.group, assembler: row.assembler], fasta, graph, paths, table]
    }
    makeCheckpointFolder()
    BINNING(ch_samples, ch_assemblies, params.mapper, params.refine_mode ?: (params.preset == 'preprint' ? 'article' : 'evidence'))

    // Behind the summary, so that nothing is being written when a problem in a sheet ends the run
    ch_versions = channel.topic('versions')
        .map { process, tool, version -> [process.tokenize(':').last(), "    ${tool}: '${version}'"] }
        .unique()
        .groupTuple()
        .combine(BINNING.out.summary.first())
        .map { process, tools, _summary -> "${process}:\n${tools.sort().join('\n')}\n" }
        .collectFile(name: 'software_versions.yml', sort: true)

    workflow.onComplete = {
        if (workflow.success) {
            def summary = file("${params.outdir}/summary.txt")
            log.info("${summary.exists() ? summary.text.trim() : ''}\nResults         ${file(params.outdir)}")
        }
    }

    publish:
    catalogue = BINNING.out.catalogue
    abundance = BINNING.out.counts
    bam       = BINNING.out.bam
    features  = BINNING.out.features
    profiles  = BINNING.out.profiles
    vae       = BINNING.out.vae
    clusters  = BINNING.out.clusters
    graphs    = BINNING.out.graphs
    homologs  = BINNING.out.homologs
    refined   = BINNING.out.refined
    bins      = BINNING.out.bins
    tables    = BINNING.out.tables
    summary   = BINNING.out.summary
    versions  = ch_versions
}

output {
    catalogue { path { group, _fasta, _contigs -> "${group.id}/catalogue" } }
    abundance { path { sample, _counts, _mapping -> "${sample.group}/abundance" } }
    bam       { path { sample, _bam, _bai -> "${sample.group}/abundance" } }
    features  { path { group, _tnf, _abundance, _depth, _rows, _json -> "${group.id}/features" } }
    profiles  { path { group, _coverage, _rpkm, _excluded, _tetranucleotides -> "${group.id}/features" } }
    vae       { path { group, _latent, _json, _model, _training -> "${group.id}/vae" } }
    clusters  {
        path { group, clusters, threshold ->
            clusters >> "${group.id}/"
            threshold >> "${group.id}/cluster/"
        }
    }
    graphs    { path { assembly, _vertices, _edges, _json -> "${assembly.group}/refine/${assembly.id}" } }
    homologs  { path { group, _homologs -> "${group.id}/homologs" } }
    refined   { path { assembly, _contig2bin, _refinement, _json -> "${assembly.group}/refine/${assembly.id}" } }
    bins      { path { group, _fastas -> "${group.id}" } }
    tables    { path { group, _contig2bin, _bins, _unbinned -> "${group.id}" } }
    summary   { path '.' }
    versions  { path 'pipeline_info' }
}
