// How a platform's reads are mapped: a preset of minimap2, or bwa or strobealign, which are for short reads alone
def mapMode(platform, mapper) {
    return [illumina: mapper == 'minimap2' ? 'sr' : mapper, ont: 'map-ont', pacbio: 'map-hifi'][platform]
}

// Channels of [ meta, file ] as one of [ meta, [files] ], joined by meta
def together(channels) {
    return channels.tail().inject(channels.head()) { joined, ch -> joined.join(ch) }.map { row -> [row.head(), row.tail()] }
}

// What channels of [ meta, file or files ] publish, as one of [ folder, file ]. Nextflow lists these at the end of a run,
// and shows no more than the class of text that is still to be put together.
def inFolder(channels, folder) {
    return channels.tail().inject(channels.head()) { mixed, ch -> mixed.mix(ch) }
        .flatMap { meta, files -> [files].flatten().collect { file -> ["${folder.call(meta)}".toString(), file] } }
}

// Rows of [ group, map of an assembly, number of such rows of the group ] as one row of each group, [ group, maps ]. The
// maps are sorted by id, so that the order in which tasks end does not change the next task's hash.
def sortedGroups(rows) {
    return rows.map { group, assembly, n -> [groupKey(group, n), assembly] }
        .groupTuple()
        .map { key, assemblies -> [key.target, assemblies.sort { assembly -> assembly.id }] }
}

// Rows of [ group, files, files, ... ], each file in a folder, as a row of each folder: [ group, folder, files by name ]
def byFolder(rows) {
    return rows.flatMap { row ->
        row.tail().flatten().groupBy { file -> file.parent.name }
            .collect { folder, files -> [row.head(), folder, files.collectEntries { file -> [file.name, file] }] }
    }
}

// Rows of [ meta, file, ... ] as one row of lists, [ ids, files, ... ], sorted by id; nothing where there is no row
def listsByColumn(rows) {
    return rows.map { row -> [row.head().id] + row.tail() }
        .toSortedList { a, b -> a.head() <=> b.head() }
        .filter { sorted -> sorted }
        .map { sorted -> sorted.transpose() }
}

// Rows of [ meta, file ], meta with group and id, as one row of one list of the files, sorted by group and id; nothing where
// there is no row
def sortedTables(rows) {
    return rows.toSortedList { a, b -> a.head().group <=> b.head().group ?: a.head().id <=> b.head().id }
        .filter { sorted -> sorted }
        .map { sorted -> [sorted*.last()] }
}

// Of assemblies (ids) and their binnings, lists of files: for each file the id and the number of its binning, and the file
def binningFiles(ids, binnings) {
    def rows = [ids, binnings].transpose().collectMany { id, of_id ->
        of_id.withIndex().collectMany { files, i -> files.collect { file -> ["${id} ${i + 1}".toString(), file] } }
    }
    return rows.transpose()
}

// What `name=table,name=table` names, as rows of name and path; a path alone is of Binloom's own bins
def namedPaths(text) {
    return "${text ?: ''}".tokenize(',').collect { part -> part.contains('=') ? part.split('=', 2) as List : ['bins', part] }
}

// The same as [ names, files ]
def namedFiles(text) {
    def named = namedPaths(text)
    return [named*.first(), named.collect { _name, path -> file(path, glob: false) }]
}

// The files of warnings, [ process, meta, file ], as one text of JSON: stage, group, id and warning of each.
// What takes it must send no warning itself: the topic ends only when everything else did.
def warningsJson(files) {
    return files
        .flatMap { process, meta, file ->
            def about = [stage: process.tokenize(':').last().toLowerCase(), group: meta.group ?: meta.id, id: meta.group ? meta.id : '']
            file.readLines().collect { line -> groovy.json.JsonOutput.toJson(about + [warning: line]) }
        }
        .toSortedList()
        .map { warnings -> "[${warnings.join(', ')}]" }
}
