#!/usr/bin/env nextflow

include { INPUTS ; helpText ; referenceGenomes ; typedParameters } from './workflows/inputs'
include { BINNING           } from './workflows/binning'
include { REPORTING         } from './workflows/report'
include { EXPERIMENTS       } from './workflows/experiments'
include { stageOptions ; isOn } from './workflows/options'
include { warnOfIdleParameters } from './workflows/former'
include { requireImages     } from './workflows/images'
include { requireTools      } from './workflows/tools'
include { resultsFolder ; claimFolder ; releaseFolder ; removeStaleBins } from './workflows/outdir'
include { failureLine       } from './workflows/failure'

workflow {
    main:
    if (isOn(params.help)) {
        println helpText()
        exit 0
    }
    if (isOn(params.version)) {
        println "${workflow.manifest.name} ${workflow.manifest.version}"
        exit 0
    }
    def folder = resultsFolder(params.outdir)
    def with_report = !isOn(params.skip_multiqc)
    requireTools(with_report, isOn(params.umap), params.references, params.mapper)
    if (!params.checkpoint_dir && workflow.workDir.toUri().scheme != 'file') {
        log.info("Training leaves no checkpoints: the work directory ${workflow.workDir.toUriString()} is not a file system, so a training that is killed starts anew. Name a folder that the training tasks share by --checkpoint_dir")
    }
    requireImages()

    def claim = claimFolder(folder)
    INPUTS(params)
    def options = stageOptions(params)
    warnOfIdleParameters(options, typedParameters())
    BINNING(INPUTS.out.samples, INPUTS.out.assemblies, options + [references: referenceGenomes(params.references)])
    EXPERIMENTS(BINNING.out.features, options)

    // As soon as a group's bins are known, so that none of an earlier run stays beside them whatever else happens
    BINNING.out.contig2bin.join(BINNING.out.bins, remainder: true).subscribe { group, _table, fastas ->
        removeStaleBins(folder, group.id, [fastas ?: []].flatten())
    }

    // The version of a program, or those of all packages, which one start of Python tells: `numpy pandas`, `2.1 2.3`
    ch_tools = channel.topic('versions')
        .flatMap { process, tool, version ->
            def versions = "${tool}".contains(' ') ? "${version}".tokenize() : ["${version}".toString()]
            [tool.tokenize(), versions].transpose().collect { name, of_name -> [process.tokenize(':').last(), name, of_name] }
        }
        .filter { _process, _tool, version -> version } // a program that this run does without need not be there
        .unique()

    REPORTING(BINNING.out.reported.filter { _row -> with_report }, BINNING.out.summary.filter { _row -> with_report }, ch_tools)

    // The versions wait for the summary, so that nothing is being written when a problem in a sheet ends the run.
    ch_versions = ch_tools
        .mix(REPORTING.out.version.map { process, tool, version -> [process.tokenize(':').last(), tool, version] })
        .map { process, tool, version -> [process, "    ${tool}: '${version}'"] }
        .groupTuple()
        .combine(BINNING.out.summary)
        .map { process, tools, _summary -> "${process}:\n${tools.sort().join('\n')}\n" }
        .collectFile(name: 'software_versions.yml', sort: true)

    workflow.onComplete = {
        if (workflow.success) {
            def summary = folder.resolve('summary.txt')
            log.info("${summary.exists() ? summary.text.trim() : ''}\nResults         ${folder}")
        }
        else {
            def reason = failureLine(workflow.errorReport ?: '', folder)
            if (reason) {
                println(reason)
            }
        }
        releaseFolder(claim)
    }

    publish:
    results = BINNING.out.results.mix(EXPERIMENTS.out.results).mix(REPORTING.out.report.map { file -> ['.', file] }).mix(ch_versions.map { file -> ['pipeline_info', file] })
}

// Every stage says in workflows/binning.nf which folder its files go to.
output {
    results {
        path { folder, _file -> folder }
    }
}
