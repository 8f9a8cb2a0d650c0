// Says why a run failed.

include { refusal } from './outdir'

// The lines of a task's stderr, wherever its work directory is; none if it left no such file
def errorLines(directory) {
    def stderr = directory.resolve('.command.err')
    return stderr.exists() ? stderr.readLines().collect { line -> line.trim() }.findAll() : []
}

// A message in which the inputs that were linked into a task's work directory have the paths that the user knows
def withUserPaths(message, directory) {
    if (directory.toUri().scheme != 'file') {
        return message
    }
    def paths = [:]
    directory.eachFileRecurse { path ->
        def target = java.nio.file.Files.isSymbolicLink(path) ? java.nio.file.Files.readSymbolicLink(path) : null
        if (target && !target.startsWith(workflow.workDir)) {
            paths["${directory.relativize(path)}".toString()] = "${target}".toString()
        }
    }
    // Names are looked up as whole words, the longest first.
    def names = paths.keySet().sort { name -> -name.length() }.collect { name -> java.util.regex.Pattern.quote(name) }
    def pattern = '(?<![\\w./-])(?:' + names.join('|') + ')(?![\\w/-])'
    return names ? message.replaceAll(pattern) { name -> paths[name] } : message
}

// Why a folder takes no further file, or null if it does. Where the disk is full or a quota is used up, a stage's own
// message is cut off, if it could be written at all.
def refusedWrite(directory, name) {
    if (directory.toUri().scheme != 'file' || !directory.exists()) {
        return null
    }
    def probe = directory.resolve('.binloom_probe')
    def refused = null
    try {
        java.nio.file.Files.write(probe, (' ' * 65536).bytes)
    }
    catch (java.io.IOException e) {
        refused = "${name} cannot be written to (${refusal(e)}): free space there"
    }
    probe.delete()
    return refused
}

// What failed outside of every task, and what to do; `results` is the folder of --outdir. Null if a message of our own
// says that already, and if nothing failed but the user stopped the run.
def otherFailure(report, results) {
    if (!report || report.startsWith('Nothing was started') || report ==~ /SIG[A-Z]+/) {
        return null
    }
    def folders = [(results): 'folder of results', (workflow.workDir): 'work folder', (workflow.launchDir): 'launch folder']
    def full = folders.findResult { folder, name -> refusedWrite(folder, "the ${name} ${folder}") }
    if (full) {
        return "The run failed: ${full}"
    }
    def thrown = nextflow.Global.session.error
    def refused = [thrown, thrown?.cause].find { exception -> exception instanceof java.nio.file.FileSystemException }
    return refused
        ? "The run failed: ${refused.file}: ${refusal(refused)}: make sure that you can write there and that the disk is not full"
        : "The run failed: ${report.readLines().head().replaceFirst(/ -- See log file.*/, '')}: .nextflow.log says more"
}

// The last line of a failed run: stage, assembly or sample, the stage's own message, and what to do. Null if a message of
// our own says it all. `results` is the folder of --outdir.
def failureLine(report, results) {
    def line = report =~ /Error executing process > '/ ? taskFailure(report) : otherFailure(report, results)
    return line ? "${line}. When that is mended, run the same command with -resume: what is finished is kept" : null
}

// Why a task failed
def taskFailure(report) {
    def stage = report =~ /Error executing process > '(?:[^' ]*:)?(\w+)(?: \((.*)\))?'/
    def (name, tag) = [stage[0][1], stage[0][2]]
    def work = report =~ /Work dir:\s+(\S.*)/
    def directory = work ? file(work[0][1].trim(), glob: false) : null
    def lines = directory ? errorLines(directory) : []
    def message = lines.findAll { line -> line.startsWith('Error: ') }.collect { line -> line.substring(7) }
    def exit = report =~ /Command exit status:\s+(\d+)/
    def status = exit ? exit[0][1].toInteger() : 0
    def killed = status > 128 && status < 160 ? "it was killed (exit status ${status}), most likely because memory or time ran out: give it more (docs/usage.md)" : null
    def cause = report =~ /Caused by:\s+(\S.*)/
    def said = message ? message.last() : killed ?: (lines ? lines.last() : (cause ? cause[0][1].trim() : 'for a reason that .nextflow.log has'))
    def reason = refusedWrite(directory ?: workflow.workDir, "the work folder ${workflow.workDir}") ?: said
    def shown = directory ? withUserPaths(reason, directory) : reason
    return "${name}${tag ? " (${tag})" : ''} failed: ${shown.replaceFirst(/[.:;!?]$/, '')}"
}
