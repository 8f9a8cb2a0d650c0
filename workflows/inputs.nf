include { VALIDATE } from '../modules/local/validate/main'

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

// Groups of parameters in nextflow_schema.json
def schemaSections() {
    return new groovy.json.JsonSlurper().parse(file("${projectDir}/nextflow_schema.json"))['$defs']
}

// Parameters and what they mean
def helpText() {
    def lines = ['nextflow run . --input samples.csv --assembly_input assemblies.csv --outdir results -profile <docker|singularity|slurm|...>']
    schemaSections().each { _name, section ->
        lines << "\n${section.title}"
        section.properties.each { name, property ->
            def standing = property.containsKey('default') ? " [${property.default}]" : ''
            lines << "  --${name.padRight(20)} ${property.description}${standing}"
        }
    }
    return lines.join('\n')
}

// Nextflow makes `foo-bar` and `fooBar` of one option.
def plainName(name) {
    return name.replaceAll('[-_]', '').toLowerCase()
}

// The parameters without those that only an institution's configuration can have set: these are no mistake of the user.
// An unknown name on the command line stays, for VALIDATE to refuse.
def userParameters(parameters) {
    if (!parameters.custom_config_base) {
        return parameters
    }
    def known = schemaSections().collectMany { _name, section -> section.properties.keySet() }
    def typed = workflow.commandLine.findAll(/--[A-Za-z][\w-]*/).collect { option -> plainName(option) }
    def foreign = parameters.keySet().findAll { name -> !(name in known) && !(plainName(name) in typed) }
    if (foreign) {
        log.info("Parameters that Binloom does not know, set by the institution's configuration or a parameters file, have no effect: ${foreign.sort().join(', ')}")
    }
    return parameters.findAll { name, _value -> !(name in foreign) }
}

// The two sheets, checked together with the parameters. Nothing is emitted as long as there is a problem.
workflow INPUTS {
    take:
    parameters // all parameters, as Nextflow has them

    main:
    // Existence is asked here, where every file system that Nextflow knows is at hand.
    def request = groovy.json.JsonOutput.toJson([
        params: userParameters(parameters),
        missing: missingFiles(parameters.input, ['fastq_1', 'fastq_2', 'bam']) + missingFiles(parameters.assembly_input, ['fasta', 'graph', 'paths', 'abundance']),
        sheet_names: [input: parameters.input, assembly_input: parameters.assembly_input],
    ])
    def sheets = [parameters.input, parameters.assembly_input].collect { sheet -> sheet instanceof CharSequence && file(sheet).exists() ? file(sheet) : [] }
    def schemas = ['nextflow_schema.json', 'assets/schema_input.json', 'assets/schema_assembly_input.json']
    VALIDATE(request, sheets[0], sheets[1], schemas.collect { name -> file("${projectDir}/${name}") })
    VALIDATE.out.problems.subscribe { problems ->
        if (problems.size() > 0) {
            error(problems.text.trim())
        }
    }

    ch_sheets = VALIDATE.out.sheets.map { json -> new groovy.json.JsonSlurper().parse(json) }
    samples = ch_sheets.flatMap { sheet -> sheet.samples }.map { row ->
        def reads = [row.fastq_1, row.fastq_2].findAll().collect { name -> sheetFile(parameters.input, name) }
        [[id: row.sample, group: row.group, platform: row.platform], reads, sheetFile(parameters.input, row.bam)]
    }
    assemblies = ch_sheets.flatMap { sheet -> sheet.assemblies }.map { row ->
        def (fasta, graph, paths, table) = [row.fasta, row.graph, row.paths, row.abundance].collect { name -> sheetFile(parameters.assembly_input, name) }
        [[id: row.id, group: row.group, assembler: row.assembler], fasta, graph, paths, table]
    }

    emit: // each name is assigned above, which the strict parser of Nextflow 25.04 needs
    samples    = samples    // [ [id, group, platform], [reads], bam or [] ]
    assemblies = assemblies // [ [id, group, assembler], fasta, graph or [], paths or [], abundance table or [] ]
}
