#!/usr/bin/env nextflow

include { INPUTS ; helpText } from './workflows/inputs'
include { BINNING           } from './workflows/binning'
include { stageOptions      } from './workflows/options'
include { requireImages     } from './workflows/images'

workflow {
    main:
    if (params.help) {
        println helpText()
        exit 0
    }
    if (params.version) {
        println "${workflow.manifest.name} ${workflow.manifest.version}"
        exit 0
    }
    // The strict parser of Nextflow 25.04 does not apply --outdir in the config, where Nextflow looks for it.
    if (file("${params.outdir}").toAbsolutePath().normalize() != workflow.outputDir.toAbsolutePath().normalize()) {
        error("--outdir says ${params.outdir} but Nextflow would publish into ${workflow.outputDir}: give both --outdir and -output-dir, with the same folder")
    }
    if (!params.checkpoint_dir && workflow.workDir.toUri().scheme != 'file') {
        log.info("Training leaves no checkpoints: the work directory ${workflow.workDir.toUriString()} is not a file system, so a training that is killed starts anew. Name a folder that the training tasks share by --checkpoint_dir")
    }
    requireImages()

    INPUTS(params)
    BINNING(INPUTS.out.samples, INPUTS.out.assemblies, stageOptions(params))

    // The versions wait for the summary, so that nothing is being written when a problem in a sheet ends the run.
    ch_versions = channel.topic('versions')
        .map { process, tool, version -> [process.tokenize(':').last(), "    ${tool}: '${version}'"] }
        .unique()
        .groupTuple()
        .combine(BINNING.out.summary)
        .map { process, tools, _summary -> "${process}:\n${tools.sort().join('\n')}\n" }
        .collectFile(name: 'software_versions.yml', sort: true)

    workflow.onComplete = {
        if (workflow.success) {
            def summary = file("${params.outdir}/summary.txt")
            log.info("${summary.exists() ? summary.text.trim() : ''}\nResults         ${file(params.outdir)}")
        }
    }

    publish:
    results = BINNING.out.results.mix(ch_versions.map { file -> ['pipeline_info', file] })
}

// Every stage says in workflows/binning.nf which folder its files go to.
output {
    results {
        path { folder, _file -> folder }
    }
}
