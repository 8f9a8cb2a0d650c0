include { VALIDATE   } from '../modules/local/validate/main'
include { namedPaths } from './channels'
include { formerProblems } from './former'

// A path of the user's, in which no character stands for others
def userFile(name) {
    return file("${name}", glob: false)
}

// A file that a sheet names: a relative path starts at the sheet's own folder.
def sheetFile(sheet, name) {
    if (!name) {
        return []
    }
    def absolute = name.startsWith('/') || name =~ /^[A-Za-z][A-Za-z0-9+.-]*:\/\//
    return absolute ? userFile(name) : userFile(sheet).parent.resolve(name)
}

// The FASTA files of a folder, which are bins
def fastaFiles(folder) {
    return folder.listFiles().findAll { path -> path.name ==~ /.*\.(fasta|fa|fna|fas)(\.gz)?/ }.sort { path -> path.name }
}

// The binnings that a sheet names, separated by semicolons: of each its files, a table or FASTA files
def binningPaths(sheet, names) {
    return (names ?: '').tokenize(';').collect { name -> sheetFile(sheet, name.trim()) }
        .collect { path -> path.isDirectory() ? fastaFiles(path) : [path] }
}

// A sheet, or nothing if it is no file that can be reached, which is for VALIDATE to complain about
def readableSheet(sheet) {
    try {
        return sheet instanceof CharSequence && userFile(sheet).exists() ? userFile(sheet) : []
    }
    catch (Exception _e) {
        return []
    }
}

// The rows of a sheet, each a map; none if it cannot be read. A mark of the byte order is no part of the first name.
def sheetRows(sheet) {
    try {
        return readableSheet(sheet).splitCsv(header: true, strip: true, quote: '"').collect { row ->
            row.collectEntries { name, cell -> ["${name}".replace('\ufeff', ''), cell] }
        }
    }
    catch (Exception _e) {
        return []
    }
}

// Whether results of this run would be written over a file: it lies in a folder of the results that stages write to.
// A BAM is read from there as it is, and is no result of this run unless it is one of the saved.
def isOverwritten(path, outdir, saved) {
    if (path.toUri().scheme != userFile(outdir).toUri().scheme) {
        return false
    }
    def folder = userFile(outdir).toAbsolutePath().normalize()
    def target = path.toAbsolutePath().normalize()
    def isLocal = folder.toUri().scheme == 'file'
    // Both a link in the results, as earlier runs may have published, and a link to a file there
    def folders = isLocal && folder.exists() ? [folder, folder.toRealPath()] : [folder]
    def targets = isLocal ? [target, target.parent.toRealPath().resolve(target.fileName), target.toRealPath()] : [target]
    return [folders, targets].combinations().any { results, file -> file.startsWith(results) && isResult(results.relativize(file), saved) }
}

// Whether this run writes a file of this name below the folder of its results
def isResult(name, saved) {
    if (name.toString().endsWith('.bam')) {
        return name.toString() in saved
    }
    def inside = name.collect { part -> "${part}".toString() }
    def written = ['abundance', 'benchmark', 'bins', 'bins.tsv', 'catalogue', 'cluster', 'cluster_sizes.tsv', 'clusters.tsv', 'compare', 'contig2bin.tsv', 'draw_bins', 'features', 'formats', 'gene_clusters.tsv', 'genes', 'genomes.tsv', 'homologs', 'markers', 'refine', 'taxonomy', 'transfer', 'truth', 'umap_points', 'unbinned.tsv', 'vae']
    return inside[0] in ['experiments', 'pipeline_info'] || (inside.size() == 1 ? inside[0] in ['report.html', 'summary.json', 'summary.tsv', 'summary.txt', 'warnings.tsv'] : inside[1] in written)
}

// Why a path cannot even be looked at
def accessProblem(exception) {
    return exception instanceof java.nio.file.InvalidPathException
        ? 'has characters that the locale cannot name, so start again with: export LC_ALL=C.UTF-8'
        : "cannot be reached (${"${exception.message ?: exception.class.simpleName}".readLines().head()}), so check its address and your credentials, or copy it to this machine"
}

// What is wrong with a sheet's own path, by the path; nothing if it can be looked at.
def unreachableSheet(sheet) {
    try {
        userFile(sheet ?: '.').exists()
        return [:]
    }
    catch (Exception e) {
        return [(sheet): accessProblem(e)]
    }
}

// Why a file that a parameter names cannot be used, by its name; nothing if it can be, or if none is named.
def missingFile(name) {
    try {
        return !(name instanceof CharSequence) || userFile(name).isFile() ? [:] : [(name): 'does not exist']
    }
    catch (Exception e) {
        return [(name): accessProblem(e)]
    }
}

// The same for the files of `name=file,name=file`
def missingFiles(text) {
    return namedPaths(text).collectEntries { named -> missingFile(named.last()) }
}

// What is wrong with a file that a sheet names; null if nothing is.
def fileProblem(sheet, name, outdir, saved) {
    try {
        def path = sheetFile(sheet, name)
        if (!path.exists()) {
            return 'does not exist'
        }
        return isOverwritten(path, outdir, saved) ? 'lies where this run writes results of its own, so copy it to another folder or name another --outdir' : null
    }
    catch (Exception e) {
        return accessProblem(e)
    }
}

// What is wrong with a folder of bins; null if nothing is. A shell changes what the schema of the sheet refuses in a path.
def folderProblem(folder) {
    def names = fastaFiles(folder)*.name
    def unfit = names.find { name -> name =~ /[*?{}\[\]$`\\\x00-\x1f\x7f]/ }
    if (unfit) {
        return "has the file ${unfit}, so rename it without any of * ? { } [ ] \$ ` \\ or control characters".toString()
    }
    return names ? null : 'is a folder without a FASTA (.fasta, .fa, .fna or .fas, .gz may follow)'
}

// What is wrong with the binnings that a sheet names; null if nothing is.
def binningsProblem(sheet, names, outdir, saved) {
    def parts = names.tokenize(';')*.trim()
    def problems = parts.collect { name ->
        def path = sheetFile(sheet, name)
        def problem = fileProblem(sheet, name, outdir, saved) ?: (path.isDirectory() ? folderProblem(path) : null)
        return problem && parts.size() > 1 ? "has ${name}, which ${problem}".toString() : problem
    }
    return problems.find()
}

// The files that a sheet names and that cannot be used, each with the reason. A sheet that cannot be read is for VALIDATE.
def unusableFiles(sheet, columns, parameters) {
    def rows = sheetRows(sheet)
    // The BAMs that this run will publish
    def saved = "${parameters.save_bam}" == 'true' ? rows.findAll { row -> row.fastq_1 }.collect { row -> "${row.group}/abundance/${row.sample}.bam".toString() } : []
    // By name, since a list of thousands of files takes long to be made unique
    return rows.collectMany { row -> columns.collect { column -> [row[column], column] } }
        .findAll { name, _column -> name }
        .collectEntries()
        .collectEntries { name, column ->
            [name, column == 'bins' ? binningsProblem(sheet, name, parameters.outdir, saved) : fileProblem(sheet, name, parameters.outdir, saved)]
        }
        .findAll { _name, problem -> problem }
}

// Names of the reference genomes, and the FASTA of each, as [ names, files ]
def referenceGenomes(sheet) {
    def rows = sheet ? sheetRows(sheet).findAll { row -> row.genome && row.fasta } : []
    return [rows*.genome, rows.collect { row -> sheetFile(sheet, row.fasta) }]
}

// Why reference genomes cannot be used, by the name of their sheet, of a genome or of a file; nothing if they can be.
def referenceProblems(sheet) {
    def missing = missingFile(sheet)
    def rows = sheet instanceof CharSequence && !missing ? sheetRows(sheet) : []
    if (sheet instanceof CharSequence && !missing && !(rows && rows.every { row -> row.genome && row.fasta })) {
        return [(sheet): 'is not the table that it should be: give a CSV file with the columns genome and fasta, both filled in each row']
    }
    def unfit = rows*.genome.findAll { name -> name =~ /['"\\$`]|[\x00-\x1f\x7f]/ || name.startsWith('-') }
    def strange = rows*.fasta.findAll { name -> name =~ /[*?{}\[\]$`\\"'\s]/ }
    return missing + rows*.fasta.collectEntries { name -> missingFile(sheetFile(sheet, name).toUriString()).collectEntries { _uri, problem -> [name, problem] } } +
        unfit.collectEntries { name -> [name, 'is no name of a genome: write it without quotes, $, `, \\ and a hyphen in front'] } +
        strange.collectEntries { name -> [name, 'has a space or one of * ? { } [ ] $ ` \\ and quotes in its name: rename the file'] }
}

// Why the results of a former run cannot be used, by the name of a folder or file; nothing if they can be, or if none is
// asked for.
def unusableFormer(parameters) {
    def (folder, start_at) = [parameters.former_results, parameters.start_at]
    if (!folder || !(folder instanceof CharSequence) || !(start_at in ['counts', 'features', 'latent', 'clusters'])) {
        return [:]
    }
    try {
        def samples = sheetRows(parameters.input).findAll { row -> row.group && row.sample }.collect { row -> [row.group, row.sample] }
        def groups = sheetRows(parameters.assembly_input).findAll { row -> row.group }.collect { row -> row.group }.unique()
        return formerProblems(folder, start_at, parameters.catalogue_type == 'genes', parameters.outdir, samples, groups)
    }
    catch (Exception e) {
        return [(folder): accessProblem(e)]
    }
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

// Names of the parameters on the command line
def typedParameters() {
    def typed = workflow.commandLine.findAll(/--[A-Za-z][\w-]*/).collect { option -> plainName(option) }
    return schemaSections().collectMany { _name, section -> section.properties.keySet() }.findAll { name -> plainName(name) in typed }
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
        unusable: [
            input: unreachableSheet(parameters.input) + unusableFiles(parameters.input, ['fastq_1', 'fastq_2', 'bam'], parameters),
            former_results: unusableFormer(parameters),
            model: missingFile(parameters.model),
            marker_hmms: missingFile(parameters.marker_hmms),
            truth: missingFile(parameters.truth),
            compare: missingFiles(parameters.compare),
            quality: missingFiles(parameters.quality),
            gene_hits: missingFile(parameters.gene_hits),
            lineages: missingFile(parameters.lineages),
            references: referenceProblems(parameters.references),
            assembly_input: unreachableSheet(parameters.assembly_input) + unusableFiles(parameters.assembly_input, ['fasta', 'graph', 'paths', 'abundance', 'bins'], parameters),
        ],
        sheet_names: [input: parameters.input, assembly_input: parameters.assembly_input],
    ])
    def sheets = [parameters.input, parameters.assembly_input].collect { sheet -> readableSheet(sheet) }
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
        [[id: row.id, group: row.group, assembler: row.assembler], fasta, graph, paths, table, binningPaths(parameters.assembly_input, row.bins)]
    }

    emit: // each name is assigned above, which the strict parser of Nextflow 25.04 needs
    samples    = samples    // [ [id, group, platform], [reads], bam or [] ]
    assemblies = assemblies // [ [id, group, assembler], fasta, graph or [], paths or [], abundance table or [], binnings: lists of files ]
}
