// The programs of the stages, where they run without containers.

// Profiles that run every task on this machine, with what is on PATH
def localProfiles() {
    return ['standard', 'test', 'test_full']
}

// Those of some programs that are not on PATH
def missingPrograms(names) {
    def folders = "${System.getenv('PATH')}".tokenize(':')
    return names.findAll { name -> !folders.any { folder -> java.nio.file.Files.isExecutable(java.nio.file.Path.of(folder, name)) } }
}

// Programs and Python packages that the stages need and that this machine lacks
def missingTools(with_report, with_umap) {
    def programs = missingPrograms(['bwa', 'minimap2', 'python3', 'samtools'] + (with_report ? ['multiqc'] : []))
    if ('python3' in programs) {
        return programs
    }
    def packages = 'click gfapy jsonschema numpy pandas pysam torch' + (with_umap ? ' umap' : '')
    def code = "import importlib.util; print(*[name for name in '${packages}'.split() if not importlib.util.find_spec(name)])"
    return programs + ['python3', '-s', '-c', code.toString()].execute().text.tokenize().collect { name -> "Python's ${name}".toString() }
}

// Stops the run if the mapper is one that no image holds, or that is not on PATH. A user's own configuration may name an
// image that has it.
def requireStrobealign(is_plain, is_local) {
    def has_images = workflow.containerEngine || nextflow.Global.session.config.conda?.enabled
    if (has_images && is_plain) {
        error("Nothing was started, --mapper strobealign: the images and Conda's environments have no strobealign. Run where it is on PATH, without containers, or leave --mapper out")
    }
    if (is_local && is_plain && missingPrograms(['strobealign'])) {
        error("Nothing was started, --mapper strobealign needs strobealign, not on PATH: install it (cargo install strobealign --version 0.19.1, or from Bioconda), or leave --mapper out")
    }
}

// Stops the run before any work if the tools are missing. With a configuration of the user's own, tasks may run anywhere
// and find their tools there.
def requireTools(with_report, with_umap, references, mapper) {
    def local = !workflow.containerEngine && workflow.profile.tokenize(',').every { name -> name in localProfiles() }
    def plain = !System.getenv('NXF_EXECUTOR') && workflow.configFiles.every { path -> path.parent == workflow.projectDir }
    if (mapper == 'strobealign' && !workflow.stubRun) {
        requireStrobealign(plain, local)
    }
    if (!local || !plain || workflow.stubRun) {
        return
    }
    def blast = references ? missingPrograms(['blastn', 'makeblastdb']) : []
    if (blast) {
        error("Nothing was started, --references needs ${blast.join(' and ')}, not on PATH: install BLAST+ (on Debian and Ubuntu: apt-get install ncbi-blast+), or run in containers (-profile docker)")
    }
    def missing = missingTools(with_report, with_umap)
    if (missing) {
        def without = 'multiqc' in missing ? ', or leave the report out by --skip_multiqc' : ''
        error("Nothing was started, the tools are not on PATH (${missing.join(', ')}): run in containers (-profile docker), or install them by: eval \"\$(make -s env)\" in ${workflow.projectDir}${without}")
    }
}
