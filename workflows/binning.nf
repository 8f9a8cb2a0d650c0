include { CATALOGUE } from '../modules/local/catalogue/main'
include { INDEX     } from '../modules/local/index/main'
include { MAP_READS } from '../modules/local/map_reads/main'
include { HOMOLOGS  } from '../modules/local/homologs/main'
include { FEATURES  } from '../modules/local/features/main'
include { VAE       } from '../modules/local/vae/main'
include { CLUSTER   } from '../modules/local/cluster/main'
include { GRAPH     } from '../modules/local/graph/main'
include { REFINE    } from '../modules/local/refine/main'
include { GRAPHBIN2 } from '../modules/local/graphbin2/main'
include { BINS      } from '../modules/local/bins/main'
include { SUMMARY   } from '../modules/local/summary/main'

// How a platform's reads are mapped: a preset of minimap2, or bwa, which is for short reads alone
def mapMode(platform, mapper) {
    return [illumina: mapper == 'bwa' ? 'bwa' : 'sr', ont: 'map-ont', pacbio: 'map-hifi'][platform]
}

// Groups of co-binned samples and assemblies, from reads, contigs and graphs to bins.
workflow BINNING {
    take:
    ch_samples    // [ [id, group, platform], [reads], bam or [] ]
    ch_assemblies // [ [id, group, assembler], fasta, graph or [], paths or [], abundance table or [] ]
    mapper        // of short reads: minimap2 or bwa
    refine_mode   // evidence, or article (GraphBin2)

    main:
    // The sheets are known from the start, so these close at once: group -> number of its samples, of assemblies to refine
    ch_n_samples = ch_samples.map { meta, _reads, _bam -> [[id: meta.group], meta.id] }
        .groupTuple().map { group, ids -> [group, ids.size()] }
    ch_n_refined = ch_assemblies.map { meta, _fasta, graph, _paths, _table -> [[id: meta.group], graph || refine_mode == 'evidence' ? 1 : 0] }
        .groupTuple().map { group, refined -> [group, refined.sum()] }

    CATALOGUE(
        ch_assemblies.map { meta, fasta, _graph, _paths, _table -> [[id: meta.group], meta.id, fasta] }.groupTuple()
    )
    ch_fasta = CATALOGUE.out.catalogue.map { group, fasta, _contigs -> [group, fasta] }
    ch_contigs = CATALOGUE.out.catalogue.map { group, _fasta, contigs -> [group, contigs] }

    // Hangs on the contigs alone, and is there by the time that they are clustered
    HOMOLOGS(CATALOGUE.out.catalogue.filter { _row -> refine_mode == 'evidence' })

    // Samples: reads are mapped with their group's index, a BAM stands for itself
    ch_source = ch_samples
        .map { meta, reads, bam -> [[id: meta.group], meta, reads, bam, mapMode(meta.platform, mapper)] }
        .branch { _group, _meta, _reads, bam, _mode ->
            bam: bam
            reads: true
        }
    ch_modes = ch_source.reads.map { group, _meta, _reads, _bam, mode -> [group, mode] }.unique()
    INDEX(ch_modes.combine(ch_fasta, by: 0))
    ch_indexed = ch_source.reads
        .map { group, meta, reads, bam, mode -> [group, mode, meta, reads, bam] }
        .combine(INDEX.out.index, by: [0, 1])
        .map { group, mode, meta, reads, bam, index -> [group, meta, reads, bam, index, mode] }
        .mix(ch_source.bam.map { group, meta, reads, bam, mode -> [group, meta, reads, bam, [], mode] })
    MAP_READS(
        ch_indexed.combine(ch_contigs, by: 0)
            .map { _group, meta, reads, bam, index, mode, contigs -> [meta, reads, bam, contigs, index, mode] }
    )

    // A group's features start when the last of its own samples is in, however long other groups take
    ch_counts = MAP_READS.out.counts
        .map { meta, counts, mapping -> [[id: meta.group], counts, mapping] }
        .combine(ch_n_samples, by: 0)
        .map { group, counts, mapping, n -> [groupKey(group, n), counts, mapping] }
        .groupTuple()
        .map { key, counts, mapping -> [key.target, counts.sort { file -> file.name }, mapping.sort { file -> file.name }, []] }
    ch_tables = ch_assemblies
        .filter { _meta, _fasta, _graph, _paths, table -> table }
        .map { meta, _fasta, _graph, _paths, table -> [[id: meta.group], table] }
        .unique()
        .map { group, table -> [group, [], [], table] }
    FEATURES(CATALOGUE.out.catalogue.join(ch_counts.mix(ch_tables)))

    VAE(FEATURES.out.features)
    ch_rows = FEATURES.out.features.map { group, _tnf, _abundance, _depth, rows, _json -> [group, rows] }
    CLUSTER(VAE.out.latent.join(ch_rows).join(ch_contigs))

    // The graph of the contigs hangs on the catalogue alone: it is read while samples are mapped, and once for any clusters
    GRAPH(
        ch_assemblies
            .filter { _meta, _fasta, graph, _paths, _table -> graph }
            .map { meta, _fasta, graph, paths, _table -> [[id: meta.group], meta, graph, paths] }
            .combine(ch_contigs, by: 0)
            .map { _group, meta, graph, paths, contigs -> [meta, graph, paths, contigs] }
    )
    ch_no_graph = ch_assemblies
        .filter { _meta, _fasta, graph, _paths, _table -> !graph }
        .map { meta, _fasta, _graph, _paths, _table -> [[id: meta.group], meta, [], []] }
    ch_no_graph.subscribe { group, meta, _vertices, _edges ->
        def refined = refine_mode == 'evidence' ? 'are refined by coverage and composition alone' : 'go without refinement'
        log.info("Assembly ${meta.id} of group ${group.id} has no graph: its bins ${refined}")
    }

    // Refinement is per assembly; the article's knows nothing but the graph
    ch_to_refine = GRAPH.out.graph
        .map { meta, vertices, edges, _json -> [[id: meta.group], meta, vertices, edges] }
        .mix(ch_no_graph)
        .combine(ch_contigs, by: 0)
        .combine(CLUSTER.out.clusters, by: 0)
        .combine(FEATURES.out.coverage, by: 0)
        .branch { _group, _meta, vertices, _edges, _contigs, _clusters, _coverage ->
            evidence: refine_mode == 'evidence'
            article: vertices
        }
    REFINE(
        ch_to_refine.evidence
            .combine(FEATURES.out.tetranucleotides, by: 0)
            .combine(HOMOLOGS.out.homologs, by: 0)
            .map { row -> row[1..-1] }
    )
    GRAPHBIN2(ch_to_refine.article.map { row -> row[1..-1] })
    ch_refined = REFINE.out.refined.mix(GRAPHBIN2.out.refined)
        .map { meta, contig2bin, refinement, _json -> [[id: meta.group], [meta.id, contig2bin, refinement]] }
        .combine(ch_n_refined, by: 0)
        .map { group, refined, n -> [groupKey(group, n), refined] }
        .groupTuple()
        // sorted by assembly, so that the order in which tasks end does not change the next task's hash
        .map { key, refined -> [key.target] + refined.sort { row -> row[0] }.transpose() }
        .mix(ch_n_refined.filter { _group, n -> n == 0 }.map { group, _n -> [group, [], [], []] })

    BINS(
        CATALOGUE.out.catalogue
            .join(CLUSTER.out.clusters)
            .join(FEATURES.out.excluded)
            .join(FEATURES.out.coverage)
            .join(ch_refined)
    )

    ch_summary = ch_contigs
        .join(FEATURES.out.features.map { group, _tnf, _abundance, _depth, _rows, json -> [group, json] })
        .join(BINS.out.tables.map { group, contig2bin, bins, _unbinned -> [group, contig2bin, bins] })
        .toSortedList { a, b -> a[0].id <=> b[0].id }
        .filter { rows -> rows.size() > 0 }
        .map { rows -> rows.collect { row -> [row[0].id] + row[1..-1] }.transpose() }
    SUMMARY(ch_summary)

    catalogue = CATALOGUE.out.catalogue
    counts    = MAP_READS.out.counts
    bam       = MAP_READS.out.bam
    features  = FEATURES.out.features
    profiles  = FEATURES.out.coverage.join(FEATURES.out.rpkm).join(FEATURES.out.excluded)
        .join(FEATURES.out.tetranucleotides.map { group, tetranucleotides, _json -> [group, tetranucleotides] })
    vae       = VAE.out.latent.join(VAE.out.model).join(VAE.out.training)
    clusters  = CLUSTER.out.clusters.join(CLUSTER.out.threshold)
    graphs    = GRAPH.out.graph
    homologs  = HOMOLOGS.out.homologs
    refined   = REFINE.out.refined.mix(GRAPHBIN2.out.refined)
    bins      = BINS.out.fasta
    tables    = BINS.out.tables
    summary   = SUMMARY.out.table.mix(SUMMARY.out.text)

    emit:
    catalogue // [ group, fasta, contigs.tsv ]
    counts    // [ sample, counts, mapping statistics ]
    bam       // [ sample, bam, bai ]
    features  // [ group, tnf, abundance, depth, rows, features.json ]
    profiles  // [ group, coverage, rpkm, excluded, tetranucleotides ]
    vae       // [ group, latent, latent.json, model, training ]
    clusters  // [ group, clusters.tsv, threshold.json ]
    graphs    // [ assembly, vertices, edges, graph.json ]
    homologs  // [ group, homologs ]
    refined   // [ assembly, contig2bin, refinement.tsv, refinement.json ]
    bins      // [ group, fastas ]
    tables    // [ group, contig2bin, bins, unbinned ]
    summary   // summary.tsv, summary.txt
}
