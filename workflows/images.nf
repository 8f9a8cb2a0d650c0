// The images that were built on this machine are looked for before any work. An engine that has no such image would
// look for a registry by the name of localhost.

// Names of the images of this machine that the configuration gives to processes by a selector
def localImages(process) {
    return process.values().findAll { settings -> settings instanceof Map && settings.container instanceof CharSequence }
        .collect { settings -> "${settings.container}".toString() }
        .findAll { name -> name.startsWith('localhost/') }
        .unique()
}

// Why docker or podman has no such image, in its own words; null if it has
def imageProblem(command, image) {
    def errors = new StringBuilder()
    try {
        def inspect = (command + ['image', 'inspect', image]).execute()
        inspect.waitForProcessOutput(new StringBuilder(), errors)
        return inspect.exitValue() == 0 ? null : errors.toString().trim().readLines().join(' ')
    }
    catch (IOException _e) {
        return "${command[0]} is not on PATH"
    }
}

// Singularity and Apptainer read files, by the names and in the folders where Nextflow looks for them.
def hasImageFile(engine, settings, image) {
    def variable = "NXF_${engine.toUpperCase()}"
    def folders = [
        settings.libraryDir, System.getenv("${variable}_LIBRARYDIR"),
        settings.cacheDir, System.getenv("${variable}_CACHEDIR"), "${workflow.workDir}/${engine}",
    ]
    return folders.findAll().any { folder -> file("${folder}/${image.replaceAll('[:/]', '-')}.img", glob: false).exists() }
}

// Ends the run with one line if an image of this machine is not there.
def requireImages() {
    def config = nextflow.Global.session.config
    def engine = workflow.containerEngine
    def executor = config.process.executor ?: System.getenv('NXF_EXECUTOR') ?: 'local'
    def remedy = 'or name the registry that has the images by --container_registry'
    // `nextflow inspect` previews a run, also for another machine.
    def names = workflow.preview ? [] : localImages(config.process)
    if (executor == 'awsbatch' && names) {
        error("AWS Batch cannot reach images of this machine (${names.first()}): push them by `make images push REGISTRY=NAME` and name the registry by --container_registry")
    }
    if (engine in ['docker', 'podman'] && executor == 'local') {
        names.each { name ->
            def problem = imageProblem(config[engine].sudo ? ['sudo', engine] : [engine], name)
            if (problem != null) {
                error("There is no image ${name} (${problem}): build the images with `make images ENGINE=${engine}`, ${remedy}")
            }
        }
    }
    if (engine in ['singularity', 'apptainer']) {
        names.findAll { name -> !hasImageFile(engine, config[engine], name) }.take(1).each { name ->
            error("There is no file of the image ${name}: build the images with `make images SIF=FOLDER` and set NXF_${engine.toUpperCase()}_LIBRARYDIR=FOLDER, ${remedy}")
        }
    }
}
