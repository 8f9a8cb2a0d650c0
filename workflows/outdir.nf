// The folder of the results: who may write there, and what of an earlier run must leave it.

// Why a file system refused something, in the words of the system
def refusal(exception) {
    def reasons = [FileAlreadyExistsException: 'a file is in its place', AccessDeniedException: 'permission denied', NoSuchFileException: 'it does not exist']
    return reasons[exception.class.simpleName] ?: "${exception.message ?: exception.class.simpleName}".tokenize(':').last().trim()
}

// The folder of --outdir, made if it does not exist. The run stops if nobody can write there.
def resultsFolder(outdir) {
    // The strict parser makes the text `true` of a parameter without a value.
    if ("${outdir}".toString() in ['null', 'true', '']) {
        error("--outdir must be the path of a folder, but it has no value: write a folder after --outdir")
    }
    def folder = file("${outdir}", glob: false).toAbsolutePath().normalize()
    if (folder != workflow.outputDir.toAbsolutePath().normalize()) {
        error("-output-dir says ${workflow.outputDir} but --outdir says ${outdir}: name the folder of the results by --outdir alone")
    }
    return folder
}

// A lock on a folder of results, which another run cannot have at the same time: a map to hand to releaseFolder. The
// system lets go of it when this run dies, so no lock of a killed run stands in the way. The lock is on a file that
// stays: a run that removed it could let two others in at once.
// An object store has no locks: there, nothing keeps two runs apart.
def claimFolder(folder) {
    if (folder.toUri().scheme != 'file') {
        return [:]
    }
    def path = folder.resolve('pipeline_info').resolve('.lock')
    def opened = null
    try {
        java.nio.file.Files.createDirectories(path.parent)
        if (!java.nio.file.Files.isWritable(folder)) {
            throw new java.nio.file.AccessDeniedException("${folder}")
        }
        opened = java.nio.channels.FileChannel.open(path, java.nio.file.StandardOpenOption.CREATE, java.nio.file.StandardOpenOption.WRITE)
    }
    catch (java.io.IOException e) {
        error("--outdir ${folder} cannot be written to (${refusal(e)}): name a folder that you can write to")
    }
    def lock = null
    try {
        lock = opened.tryLock()
    }
    catch (java.io.IOException e) {
        log.warn("The file system of --outdir ${folder} has no locks (${refusal(e)}): make sure that no other run writes there")
        return [channel: opened]
    }
    if (!lock) {
        error("Another run writes into --outdir ${folder} (${path.text.trim()}): wait for it to end, or name another folder by --outdir")
    }
    opened.truncate(0)
    def owner = "${workflow.runName}, process ${ProcessHandle.current().pid()} on ${InetAddress.localHost.hostName}"
    opened.write(java.nio.ByteBuffer.wrap("${owner}\n".getBytes('UTF-8')))
    return [channel: opened, lock: lock]
}

def releaseFolder(claim) {
    claim.channel?.close()
}

// Bins of an earlier run that this run does not have: FASTA files in a group's folder of bins, and nothing else. Only names
// are read, not `listFiles`: Nextflow replaces the files of this run meanwhile, and a file may be gone for a moment.
def removeStaleBins(folder, group, fastas) {
    def names = fastas*.name
    def bins = folder.resolve(group).resolve('bins')
    if (bins.isDirectory()) {
        def found = java.nio.file.Files.newDirectoryStream(bins).withCloseable { files -> files.toList() }
        found.findAll { file -> file.name.endsWith('.fa.gz') && !(file.name in names) }
            .each { file -> java.nio.file.Files.deleteIfExists(file) }
    }
}
