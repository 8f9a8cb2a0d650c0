import groovy.json.JsonSlurper
import java.nio.file.Files
import java.nio.file.Path
import java.util.zip.GZIPInputStream

/**
 * Reads what stages write, and plants inputs from the truth of the bundled community (tests/data/README.md),
 * so that a stage's test depends on no training.
 */
class Community {

    /** Contigs as long as the test profile's --min_contig_length are clustered. */
    static final int MIN_CONTIG_LENGTH = 500

    /** Text of a file, gzipped or not. */
    static String text(path) {
        def file = Path.of(path.toString())
        return file.fileName.toString().endsWith('.gz') ? new GZIPInputStream(Files.newInputStream(file)).text : file.text
    }

    /** The rows of a tab-separated table, each a map from column to text. */
    static List<Map<String, String>> table(path) {
        def lines = text(path).readLines()
        def header = lines.head().split('\t', -1)
        return lines.tail().collect { line -> [header, line.split('\t', -1)].transpose().collectEntries() }
    }

    static Object json(path) {
        return new JsonSlurper().parseText(text(path))
    }

    /** Names of the records of a FASTA, and the number of their bases. */
    static Map fasta(path) {
        def (headers, sequences) = text(path).readLines().split { line -> line.startsWith('>') }
        return [names: headers.collect { line -> line.substring(1).tokenize()[0] }, bases: sequences*.length().sum(0)]
    }

    /** The first item's file or files of each of these channels of [ meta, file or files ], as one list. */
    static List<String> files(Object... channels) {
        return channels.collect { channel -> channel[0][1] }.flatten()
    }

    /** Names of files, without their folders. */
    static List<String> names(paths) {
        return [paths].flatten().collect { path -> Path.of(path.toString()).fileName.toString() }
    }

    /** Folder and name -> path, of a channel of [ folder, file ]. */
    static Map<String, String> published(channel) {
        return channel.collectEntries { folder, path -> [Path.of(folder.toString(), names(path)[0]).normalize().toString(), path] }
    }

    /** Shape of an .npy array; its header, in plain text, says the type too. */
    static List<Integer> shape(path) {
        def header = Files.newInputStream(Path.of(path.toString())).withStream { stream -> new String(stream.readNBytes(128), 'ISO-8859-1') }
        assert header.contains("'descr': '<f4'")
        return (header =~ /'shape': \(([\d, ]+)\)/)[0][1].tokenize(', ')*.toInteger()
    }

    /** contig, genome, length: one row per genome that a contig of this assembly belongs to. */
    static List<Map<String, String>> truth(String assembly) {
        return table("tests/data/${assembly}.truth.tsv")
    }

    /** The genomes of every contig of an assembly. */
    static Map<String, Set<String>> genomes(String assembly) {
        return truth(assembly).groupBy { row -> row.contig }.collectEntries { contig, rows -> [contig, rows*.genome as Set] }
    }

    /** Base pairs per genome in these rows of a truth, from the largest genome down. */
    static Map<String, Integer> sizes(List<Map<String, String>> rows) {
        return rows.groupBy { row -> row.genome }
            .collectEntries { genome, same -> [genome, same*.length*.toInteger().sum()] }
            .sort { entry -> -entry.value }
    }

    /** Rows of the co-assembly's truth that a perfect clustering can give back: of one genome, and long enough. */
    static List<Map<String, String>> clusterable() {
        def owners = genomes('co')
        return truth('co').findAll { row -> row.length.toInteger() >= MIN_CONTIG_LENGTH && owners[row.contig].size() == 1 }
    }

    /** Number of tasks of each process, by its own name. */
    static Map<String, Integer> processes(trace) {
        return trace.tasks()*.name.countBy { name -> name.tokenize(' ')[0].tokenize(':').last() }
    }

    /** Genomes that some bin holds at this precision and recall in base pairs. */
    static Set<String> genomesFound(contig2bin, String assembly, double precision, double recall) {
        def rows = truth(assembly)
        def whole = sizes(rows)
        def length = rows.collectEntries { row -> [row.contig, row.length.toInteger()] }
        return table(contig2bin).groupBy { row -> row.bin }.values().collectMany { bin ->
            def members = bin*.contig as Set
            def total = members.sum { contig -> length[contig] }
            sizes(rows.findAll { row -> row.contig in members })
                .findAll { genome, bases -> bases >= precision * total && bases >= recall * whole[genome] }.keySet()
        } as Set
    }

    /** Writes a table into a folder and gives its path. */
    static String write(folder, String name, List<List> rows) {
        def file = new File(folder.toString(), name)
        file.parentFile.mkdirs()
        file.text = rows.collect { row -> row.join('\t') + '\n' }.join()
        return file.path
    }

    /** clusters.tsv of a perfect clustering of the co-assembly, a cluster per genome, but for these misplaced contigs. */
    static String plantClusters(folder, Map<String, String> misplaced = [:]) {
        def rows = clusterable().collect { row -> [misplaced[row.contig] ?: row.genome, row.contig, 'coasm', row.contig] }
        return write(folder, 'clusters.tsv', [['cluster', 'contig', 'assembly', 'name']] + rows)
    }
}
