include { REPORT_DATA } from '../modules/local/report_data/main'
include { REPORT      } from '../modules/local/report/main'

// What the report says about the run itself, as JSON: texts by their names. Whether it was resumed says nothing about it.
def aboutRun() {
    return groovy.json.JsonOutput.toJson([
        Command: workflow.commandLine.replaceAll(/ -resume(?= |$)( [0-9a-f-]{36})?/, ''),
        Binloom: "${workflow.manifest.version}${workflow.commitId ? ", commit ${workflow.commitId}" : ''}".toString(),
        Nextflow: workflow.nextflow.version.toString(),
        Profile: workflow.profile,
        'Container engine': workflow.containerEngine ?: 'none',
    ])
}

// Versions of tools, [ process, tool, version ], as one text of JSON: the version of each tool by process
def versionsJson(versions) {
    return versions.map { process, tool, version -> [process, [tool, version]] }
        .groupTuple()
        .toSortedList { a, b -> a[0] <=> b[0] }
        .map { processes ->
            groovy.json.JsonOutput.toJson(processes.collectEntries { process, tools -> [process, tools.sort { tool -> tool[0] }.collectEntries { name, version -> [name, version] }] })
        }
}

// The report of the run; of no groups it makes none.
workflow REPORTING {
    take:
    ch_groups   // [ group, files ]: as REPORT_DATA takes them
    ch_summary  // summary.json
    ch_versions // [ process, tool, version ]

    main:
    REPORT_DATA(ch_groups)
    REPORT(
        REPORT_DATA.out.data.toSortedList { a, b -> a[0].id <=> b[0].id }.map { rows -> rows.collect { _group, data -> data } }.filter { files -> files },
        ch_summary,
        ['multiqc_config.yml', 'multiqc.css'].collect { name -> file("${projectDir}/assets/${name}") },
        aboutRun(),
        versionsJson(ch_versions)
    )
    report  = REPORT.out.html
    version = REPORT.out.version

    emit: // each name is assigned above, which the strict parser of Nextflow 25.04 needs
    report  = report  // report.html
    version = version // [ process, tool, version ]
}
