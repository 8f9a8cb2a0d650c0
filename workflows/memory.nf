// The memory that a task asks for, by the sizes of its inputs: the one place of the formula. docs/scale.md has what the
// numbers were measured on; tests/python/test_task_memory.py runs stages and holds their memory against these numbers.

// Of each process the MB that it takes whatever its input, then bytes of memory for each byte of the kinds of input that
// its directive `memory` names, in that order
def memoryTable() {
    return [
        CATALOGUE  : [100, 1.3],         // assemblies, as if gzipped
        INDEX      : [80, 26.0],         // catalogue
        MAP_READS  : [200, 1.5, 20.0, 1.0, 1.2], // index; contigs.tsv; batches of reads; what samtools sorts at once
        HOMOLOGS   : [110, 5.0],         // catalogue
        FEATURES   : [260, 20.0, 20.0],  // contigs.tsv; a table of abundances, as if gzipped
        VAE        : [1300, 2.0, 10.0],  // the input that is held in memory; rows.tsv
        RUN_TRIAL  : [1300, 2.0, 20.0],  // the same; rows.tsv and contigs.tsv
        CLUSTER    : [1000, 4.0, 8.0],   // latent; rows.tsv and contigs.tsv
        MARKERS    : [1000, 4.0],        // catalogue
        GRAPH      : [90, 26.0],         // contigs.tsv
        GRAPHBIN2  : [90, 20.0],         // contigs.tsv
        REFINE     : [120, 8.0, 8.0],    // contigs.tsv; of coverage, edits, tetranucleotides and links by pairs, the assembly's
        TRANSFER   : [300, 4.6, 4.3],    // catalogue and contigs.tsv; coverage, tetranucleotides and links by pairs
        BINS       : [110, 38.0, 38.0],  // coverage; tables of the refinement
        REPORT_DATA: [200, 3.0, 20.0],   // what the network sees; tables of the contigs
        UMAP_POINTS: [750, 3.0, 20.0],   // the same
    ]
}

// No task asks for less (MB): what it saved would be less than what a second try costs
def leastMemory() {
    return 1000
}

// The memory of a task in a job array, which asks once for all its tasks, before any of them has its inputs
def memoryInArray(task) {
    return 64.GB * task.attempt
}

// Bytes of files, and of all files in folders, wherever they are; 0 of none
def bytesOf(inputs) {
    return [inputs].flatten().sum(0L) { input -> fileBytes(input instanceof nextflow.processor.TaskPath ? input.toRealPath() : input) }
}

def fileBytes(path) {
    return path.isDirectory() ? path.listFiles().toList().sum(0L) { inner -> fileBytes(inner) } : path.size()
}

// The share of a group's contigs that an assembly has; `counted`: the lines of `uniq -c` about the column `assembly`
def shareOf(counted, assembly) {
    def contigs = counted.readLines()*.tokenize().findAll { words -> words.size() == 2 && words[1] != 'assembly' }
        .collectEntries { words -> [words[1], words[0] as double] }
    return contigs[assembly] ? contigs[assembly] / contigs.values().sum() : 1.0d
}

// The same of files that may be gzipped or not, about as if all were
def packedBytes(inputs) {
    return [inputs].flatten().sum(0L) { input -> "${input}".endsWith('.gz') ? bytesOf(input) : bytesOf(input).intdiv(4) }
}

// Of the network's input as many bytes as training on a processor holds in memory (bin/memory_estimate.py, MAX_HELD_BYTES)
def heldBytes(inputs) {
    return Math.min(bytesOf(inputs), 1L << 29)
}

// Bytes of an index, or of its catalogue, of which a mapper holds one part at once: minimap2's have at most 2.4 Gbp and a
// batch of 50 Mbp (bin/minimap2_commands.py), the others one part. `bytesABase`: of the file, for each base
def partBytes(mode, inputs, bytesABase) {
    return mode in ['bwa', 'strobealign'] ? bytesOf(inputs) : Math.min(bytesOf(inputs), (2_450_000_000L * bytesABase) as long)
}

// What a mapper takes beside its index: the reads that it has at once, with names and alignments, and a bit a thread. The
// bases are `-K` of minimap2 and bwa, as their presets have it; short reads have more names and alignments a base
def batchBytes(mode, cpus) {
    def bases = [bwa: 10_000_000L * cpus, sr: 50_000_000L, strobealign: 25_000_000L]
    return (bases.containsKey(mode) ? 12L * bases[mode] : 6L * 500_000_000L) + 12_000_000L * cpus
}

// Bytes that samtools sorts at once (bin/map_reads.py gives each thread 256 MB)
def sortBytes(cpus) {
    return (256L << 20) * cpus
}

// The memory of a task whose kinds of input have these sizes (bytes); a task that was killed asks again for more
def memoryOf(task, sizes) {
    def numbers = memoryTable()["${task.process}".tokenize(':').last()]
    def needed = numbers[0] + [numbers.tail(), sizes].transpose().sum { each_byte, bytes -> each_byte * bytes } / 1e6
    return 1.MB * Math.max(leastMemory(), Math.ceil(needed) as long) * task.attempt
}
