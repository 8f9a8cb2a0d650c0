include { CATALOGUE   } from '../modules/local/catalogue/main'
include { FORMER      } from '../modules/local/former/main'
include { INDEX       } from '../modules/local/index/main'
include { MAP_READS   } from '../modules/local/map_reads/main'
include { HOMOLOGS    } from '../modules/local/homologs/main'
include { FEATURES    } from '../modules/local/features/main'
include { VAE         } from '../modules/local/vae/main'
include { CLUSTER     } from '../modules/local/cluster/main'
include { IMPORT_BINS } from '../modules/local/import_bins/main'
include { ENSEMBLE    } from '../modules/local/ensemble/main'
include { GENE_CLUSTERS } from '../modules/local/gene_clusters/main'
include { MARKERS     } from '../modules/local/markers/main'
include { GRAPH       } from '../modules/local/graph/main'
include { REFINE      } from '../modules/local/refine/main'
include { GRAPHBIN2   } from '../modules/local/graphbin2/main'
include { TRANSFER    } from '../modules/local/transfer/main'
include { BINS        } from '../modules/local/bins/main'
include { GENES       } from '../modules/local/genes/main'
include { TAXONOMY    } from '../modules/local/taxonomy/main'
include { TRUTH       } from '../modules/local/truth/main'
include { BENCHMARK   } from '../modules/local/benchmark/main'
include { COMPARE     } from '../modules/local/compare/main'
include { DRAW_BINS   } from '../modules/local/draw_bins/main'
include { UMAP_POINTS } from '../modules/local/umap_points/main'
include { SUMMARY     } from '../modules/local/summary/main'
include { shareOf } from './memory'
include { mapMode ; together ; inFolder ; sortedGroups ; byFolder ; warningsJson ; listsByColumn ; binningFiles ; namedFiles } from './channels'
include { takenStages ; isTaken ; formerFiles ; formerCounts ; withFormer } from './former'

// Groups of co-binned samples and assemblies, from reads, contigs and graphs to bins.
workflow BINNING {
    take:
    ch_samples    // [ [id, group, platform], [reads], bam or [] ]
    ch_assemblies // [ [id, group, assembler], fasta, graph or [], paths or [], abundance table or [], binnings: lists of files ]
    options       // map of workflows/options.nf; references: [ names, files ] of reference genomes, if there are any

    main:
    def by_evidence = options.refine_mode == 'evidence'
    def of_genes = options.of_genes == true
    // An assembly's own inputs by kind, as [ group, meta, ... ]
    ch_fastas = ch_assemblies.map { meta, fasta, _graph, _paths, _table, _binnings -> [[id: meta.group], meta.id, fasta] }
    ch_tables = ch_assemblies.map { meta, _fasta, _graph, _paths, table, _binnings -> [[id: meta.group], table] }.filter { _group, table -> table }
    ch_graphs = ch_assemblies.map { meta, _fasta, graph, paths, _table, _binnings -> [[id: meta.group], meta, graph, paths] }
    ch_given = ch_assemblies.map { meta, _fasta, _graph, _paths, _table, binnings -> [[id: meta.group], meta.id, binnings] }
    // The sheets are known from the start, so these close at once: group -> number of its samples, of assemblies to refine
    ch_n_samples = ch_samples.map { meta, _reads, _bam -> [[id: meta.group], meta.id] }
        .groupTuple().map { group, ids -> [group, ids.size()] }
    ch_n_refined = ch_graphs.map { group, _meta, graph, _paths -> [group, graph || by_evidence ? 1 : 0] }
        .groupTuple().map { group, refined -> [group, refined.sum()] }
    ch_is_given = ch_given.map { group, _id, binnings -> [group, !binnings.isEmpty()] }.unique()
    ch_n_assemblies = ch_graphs.map { group, meta, _graph, _paths -> [group, meta.id] }
        .groupTuple().map { group, ids -> [group, ids.size()] }

    CATALOGUE(ch_fastas.groupTuple())
    ch_contigs = CATALOGUE.out.contigs
    // Homologs depend on the contigs alone, and are there by the time that these are clustered
    HOMOLOGS(CATALOGUE.out.fasta.join(ch_contigs).filter { _row -> by_evidence })

    // What is taken from a former run stands in for what the stages of this run would make
    def taken = takenStages(options.start_at)
    ch_wanted = ch_samples.branch { meta, _reads, _bam ->
        former: isTaken(options.former_results, options.start_at, of_genes, meta.group, meta.id)
        own: true
    }
    ch_former_ids = ch_wanted.former.map { meta, _reads, _bam -> [[id: meta.group], meta.id] }.groupTuple()
    FORMER(
        ch_is_given.join(ch_former_ids, remainder: true)
            .map { group, _is_given, ids -> [group] + formerFiles(options.former_results, options.start_at, of_genes, group.id, (ids ?: []).toSorted()) }
            .filter { _group, _contigs, files, _samples -> files }
            .join(ch_contigs)
    )

    // Samples: reads are mapped with their group's index, a BAM stands for itself
    ch_source = ch_wanted.own
        .map { meta, reads, bam -> [[id: meta.group], mapMode(meta.platform, options.mapper), meta, reads, bam] }
        .branch { _group, _mode, _meta, _reads, bam ->
            bam: bam
            reads: true
        }
    // strobealign's index is made for a length of reads, that of the first sample
    INDEX(
        ch_source.reads.map { group, mode, meta, reads, _bam -> [group, mode, meta.id, reads] }
            .groupTuple(by: [0, 1])
            .map { group, mode, ids, reads -> [group, mode, mode == 'strobealign' ? reads[ids.indexOf(ids.min())].first() : []] }
            .combine(CATALOGUE.out.fasta, by: 0)
    )
    ch_indexed = ch_source.reads.combine(INDEX.out.index, by: [0, 1])
        .mix(ch_source.bam.map { group, mode, meta, reads, bam -> [group, mode, meta, reads, bam, []] })
    MAP_READS(
        ch_indexed.combine(ch_contigs, by: 0).map { _group, mode, meta, reads, bam, index, contigs -> [meta, reads, bam, contigs, index, mode] },
        options.map_reads
    )

    // A group's features start when the last of its own samples is in, however long other groups take. No pairs link genes
    ch_former_counts = formerCounts(FORMER.out.files)
    ch_pairs = MAP_READS.out.pairs.mix(MAP_READS.out.counts.filter { _row -> of_genes }.map { meta, _counts -> [meta, []] })
    ch_counts = MAP_READS.out.counts.join(MAP_READS.out.mapping).join(ch_pairs)
        .mix(ch_former_counts)
        .map { meta, counts, mapping, pairs -> [[id: meta.group], [id: meta.id, files: [counts, mapping, pairs]]] }
        .combine(ch_n_samples, by: 0)
    ch_abundances = sortedGroups(ch_counts)
        .map { group, samples -> [group] + samples*.files.transpose()*.flatten() + [[]] }
        .mix(ch_tables.unique().map { group, table -> [group, [], [], [], table] })
    FEATURES(CATALOGUE.out.fasta.join(ch_contigs).join(ch_abundances.filter { _row -> !('features' in taken) }), options.features)
    def described = withFormer([features: FEATURES.out], FORMER.out.files)

    // Bins of other binners take the place of training and clustering, or, in an ensemble, stand beside them
    IMPORT_BINS(
        ch_given.filter { _group, _id, binnings -> binnings }
            .groupTuple()
            .map { group, ids, binnings -> [group] + binningFiles(ids, binnings) }
            .join(ch_contigs),
        options.import_bins
    )
    ch_tnf = described.tnf.join(ch_is_given)
        .filter { _group, _tnf, is_given -> !('vae' in taken) && (!is_given || options.is_ensemble) }
        .map { group, tnf, _is_given -> [group, tnf] }
    VAE(
        ch_tnf.join(described.abundance).join(described.depth).join(described.rows).join(described.json),
        options.vae,
        options.model ? file("${options.model}", glob: false) : []
    )
    def encoded = withFormer([vae: VAE.out], FORMER.out.files)
    CLUSTER(
        encoded.latent.filter { _row -> !('cluster' in taken) }.join(encoded.json).join(described.rows).join(ch_contigs),
        options.cluster
    )
    def clustered = withFormer([cluster: CLUSTER.out], FORMER.out.files)
    ch_own = clustered.clusters.join(ch_is_given).branch { _group, _clusters, is_given ->
        beside_given: is_given
        alone: true
    }
    ENSEMBLE(
        ch_own.beside_given.map { group, clusters, _is_given -> [group, clusters] }.join(IMPORT_BINS.out.clusters).join(ch_contigs),
        options.ensemble
    )
    // Clusters of genes are a result by themselves: nothing cuts, refines or completes them
    ch_gene_clusters = ch_own.alone.filter { _row -> of_genes }.map { group, clusters, _is_given -> [group, clusters] }
    GENE_CLUSTERS(ch_gene_clusters.join(ch_contigs))
    ch_clusters = ch_own.alone.filter { _row -> !of_genes }.map { group, clusters, _is_given -> [group, clusters] }
        .mix(IMPORT_BINS.out.clusters.filter { _row -> !options.is_ensemble })
        .mix(ENSEMBLE.out.clusters)

    // The graph of the contigs depends on the catalogue alone: it is read while samples are mapped, and once for any clusters
    ch_has_graph = ch_graphs.branch { _group, _meta, graph, _paths ->
        yes: graph
        no: true
    }
    GRAPH(ch_has_graph.yes.combine(CATALOGUE.out.fasta.join(ch_contigs), by: 0).map { _group, meta, graph, paths, fasta, contigs -> [meta, graph, paths, fasta, contigs] })
    ch_has_graph.no.filter { _row -> !of_genes }.subscribe { group, meta, _graph, _paths ->
        def refined = by_evidence ? 'are refined by coverage, composition and pairs of reads alone' : 'go without refinement'
        log.info("Assembly ${meta.id} of group ${group.id} has no graph: its bins ${refined}")
    }

    // Marker genes depend on the contigs alone, too. What is known of the families, or a user's own models
    def models = options.marker_hmms ? file(options.marker_hmms, glob: false) : []
    MARKERS(
        ch_graphs.filter { _row -> options.markers }.map { group, meta, _graph, _paths -> [group, meta] }
            .combine(CATALOGUE.out.fasta.join(ch_contigs), by: 0).map { _group, meta, fasta, contigs -> [meta, fasta, contigs] },
        file("${projectDir}/assets/marker_families.tsv"),
        models
    )
    ch_found = MARKERS.out.markers.join(MARKERS.out.families)
        .map { meta, markers, families -> [[id: meta.group], [id: meta.id, files: [markers, families]]] }
        .combine(ch_n_assemblies, by: 0)
    ch_markers = sortedGroups(ch_found)
        .mix(ch_n_assemblies.filter { _row -> !options.markers }.map { group, _n -> [group, []] })
        .map { group, found -> [group, found.collect { assembly -> assembly.files[0] }, found.collect { assembly -> assembly.files[1] }] }

    // Refinement is per assembly; the article's knows nothing but the graph
    ch_clustered = GRAPH.out.graph.map { meta, graph -> [[id: meta.group], meta, graph] }
        .mix(ch_has_graph.no.map { group, meta, graph, _paths -> [group, meta, graph] })
        .combine(ch_contigs, by: 0)
        .combine(ch_clusters, by: 0)
        .branch { _group, _meta, graph, _contigs, _clusters ->
            evidence: by_evidence
            article: graph
        }
    ch_profiles = together([described.coverage, described.tetranucleotides, described.json, described.pair_links])
    ch_profiles_and_edits = ch_profiles.join(described.edits).map { group, profiles, edits -> [group, profiles + [edits]] }
    REFINE(
        ch_clustered.evidence.combine(ch_profiles_and_edits.join(HOMOLOGS.out.homologs).join(CATALOGUE.out.sizes), by: 0)
            .map { _group, meta, graph, contigs, clusters, profiles, homologs, sizes -> [meta, graph, contigs, clusters, profiles, homologs, shareOf(sizes, meta.id)] }
            .join(MARKERS.out.markers.mix(ch_graphs.filter { _row -> !options.markers }.map { _group, meta, _graph, _paths -> [meta, []] }))
            .map { meta, graph, contigs, clusters, profiles, homologs, share, markers -> [meta, graph, contigs, clusters, profiles, homologs, markers, share] },
        options.refine
    )
    GRAPHBIN2(
        ch_clustered.article.combine(described.coverage, by: 0)
            .map { _group, meta, graph, contigs, clusters, coverage -> [meta, graph, contigs, clusters, coverage] },
        options.graphbin2
    )
    ch_links = GRAPH.out.graph.mix(ch_has_graph.no.map { _group, meta, graph, _paths -> [meta, graph] })
    ch_refined = REFINE.out.contig2bin.join(REFINE.out.refinement).join(REFINE.out.json)
        .mix(GRAPHBIN2.out.contig2bin.join(GRAPHBIN2.out.refinement).join(GRAPHBIN2.out.json))
        .join(ch_links)
        .map { meta, contig2bin, refinement, json, graph -> [[id: meta.group], [id: meta.id, contig2bin: contig2bin, refinement: refinement, json: json, graph: graph]] }
        .combine(ch_n_refined, by: 0)
        .branch { _group, _assembly, n ->
            several: by_evidence && n > 1
            alone: true
        }

    // Assemblies of one group show each other's genomes
    ch_several = sortedGroups(ch_refined.several).map { group, assemblies ->
        def placed = assemblies.findAll { assembly -> assembly.graph }
        def graphs = ['vertices.tsv.gz', 'edges.tsv.gz'].collect { name -> placed.collect { assembly -> assembly.graph.find { file -> file.name == name } } }
        [group, assemblies*.id, assemblies*.contig2bin, assemblies*.refinement, placed*.id] + graphs
    }
    TRANSFER(together([CATALOGUE.out.fasta, ch_contigs]).join(ch_profiles).join(ch_several), options.refine)
    ch_transferred = byFolder(TRANSFER.out.contig2bin.join(TRANSFER.out.refinement).join(TRANSFER.out.json))
        .map { group, id, files -> [group, [id: id, contig2bin: files['contig2bin.tsv'], refinement: files['refinement.tsv'], json: files['refinement.json']]] }
        .combine(ch_n_refined, by: 0)
    ch_final = ch_refined.alone.mix(ch_transferred)

    ch_group_refined = sortedGroups(ch_final).mix(ch_n_refined.filter { _group, n -> n == 0 }.map { group, _n -> [group, []] })
    BINS(
        together([CATALOGUE.out.fasta, ch_contigs]).join(ch_clusters)
            .join(together([described.coverage, described.excluded]))
            .join(ch_group_refined.map { group, assemblies -> [group, assemblies*.contig2bin, assemblies*.refinement] })
            .join(TRANSFER.out.same_genomes.mix(ch_n_refined.filter { _group, n -> !(by_evidence && n > 1) }.map { group, _n -> [group, []] }))
            .join(ch_markers),
        options.bins
    )

    // Known genomes, or quality and other binners' bins, tell what bins are worth. A user's table may be of several
    // groups, of which the contigs have names in common
    def compared = namedFiles(options.compared)
    ch_others = ch_contigs.combine(ch_contigs.toList().map { groups -> [groups] })
        .map { group, _contigs, groups -> [group, groups.findAll { other, _table -> other != group }.sort { row -> row.head().id }*.last()] }
    def references = options.references ?: [[], []]
    TRUTH(CATALOGUE.out.fasta.filter { _row -> references.first() }.join(ch_contigs), references)
    ch_truth = TRUTH.out.truth
        .mix(ch_contigs.filter { _row -> options.truth }.map { group, _contigs -> [group, file("${options.truth}", glob: false)] })
    BENCHMARK(
        ch_contigs.join(ch_clusters).join(BINS.out.contig2bin).join(ch_others).join(ch_truth),
        compared,
        options.benchmark
    )
    COMPARE(
        ch_contigs.filter { _row -> options.compared || options.quality }.join(BINS.out.contig2bin).join(described.coverage).join(ch_others),
        compared,
        namedFiles(options.quality),
        options.compare
    )

    // Genes of the bins are there for a search in a database; its hits name taxa
    GENES(CATALOGUE.out.fasta.filter { _row -> options.genes }.join(ch_contigs).join(BINS.out.contig2bin))
    TAXONOMY(
        GENES.out.genes.filter { _row -> options.gene_hits }.join(BINS.out.contig2bin),
        options.gene_hits ? file("${options.gene_hits}", glob: false) : [],
        options.lineages ? file("${options.lineages}", glob: false) : []
    )

    // The graph as the assembler wrote it, coloured by bin
    ch_drawn = ch_has_graph.yes.filter { _row -> options.draw_bins }.map { _group, meta, graph, paths -> [meta, graph, paths] }
        .join(GRAPH.out.graph)
        .map { meta, graph, paths, links -> [[id: meta.group], meta, graph, paths, links] }
        .combine(ch_contigs.join(BINS.out.contig2bin), by: 0)
    DRAW_BINS(ch_drawn.map { _group, meta, graph, paths, links, contigs, contig2bin -> [meta, graph, paths, links, contigs, contig2bin] }, options.draw_bins ?: '')
    ch_summed = listsByColumn(ch_contigs.join(described.json).join(BINS.out.contig2bin).join(BINS.out.bins)).map { row -> row + [[]] }
        .mix(listsByColumn(ch_contigs.join(described.json).join(GENE_CLUSTERS.out.table)).map { groups, contigs, features, clusters -> [groups, contigs, features, [], [], clusters] })
    SUMMARY(ch_summed, warningsJson(channel.topic('warnings')))

    // What the report shows of each group
    ch_found = BENCHMARK.out.genomes_found
        .mix(ch_contigs.filter { _row -> !options.truth && !references.first() }.map { group, _contigs -> [group, []] })
    ch_is_trained = ch_is_given.map { group, is_given -> [group, !is_given || options.is_ensemble] }
    ch_untrained = ch_is_trained.filter { _group, is_trained -> !is_trained }.map { group, _is_trained -> [group, []] }
    ch_trained = together([encoded.latent, encoded.training, clustered.threshold]).mix(ch_untrained)
    ch_binned = together([ch_contigs, BINS.out.contig2bin, BINS.out.unbinned]).join(BINS.out.bins).map { row -> row + [[]] }
        .mix(together([ch_gene_clusters, GENE_CLUSTERS.out.table, GENE_CLUSTERS.out.sizes]).join(ch_contigs)
            .map { group, clusters, contigs -> [group, contigs, [], clusters] })
    ch_shown = ch_binned.join(described.json).join(together([described.rows, described.tnf, described.abundance]))
    UMAP_POINTS(ch_shown.filter { _row -> options.umap }.join(encoded.latent.mix(ch_untrained)))
    ch_points = UMAP_POINTS.out.points.mix(ch_contigs.filter { _row -> !options.umap }.map { group, _contigs -> [group, []] })
    reported = ch_shown
        .join(ch_abundances.map { group, _counts, mappings, _pairs, _table -> [group, mappings] })
        .join(ch_trained)
        .join(ch_group_refined.map { group, assemblies -> [group, assemblies*.refinement] })
        .join(ch_found)
        .join(ch_points)

    // What is published, and the folder that it goes to
    results = SUMMARY.out.table.mix(SUMMARY.out.json).mix(SUMMARY.out.text).mix(SUMMARY.out.warnings).map { file -> ['.', file] }
        .mix(inFolder([CATALOGUE.out.fasta, ch_contigs]) { group -> "${group.id}/catalogue" })
        .mix(inFolder([MAP_READS.out.counts, MAP_READS.out.mapping, MAP_READS.out.pairs, MAP_READS.out.bam, ch_former_counts.map { row -> [row.head(), row.tail()] }]) { sample -> "${sample.group}/abundance" })
        .mix(inFolder(described.values().toList()) { group -> "${group.id}/features" })
        .mix(inFolder(encoded.values().toList()) { group -> "${group.id}/vae" })
        .mix(inFolder([clustered.threshold]) { group -> "${group.id}/cluster" })
        .mix(inFolder([ch_gene_clusters, GENE_CLUSTERS.out.table, GENE_CLUSTERS.out.sizes]) { group -> group.id })
        .mix(inFolder([HOMOLOGS.out.homologs]) { group -> "${group.id}/homologs" })
        .mix(inFolder([MARKERS.out.markers, MARKERS.out.families]) { assembly -> "${assembly.group}/markers/${assembly.id}" })
        .mix(inFolder([GRAPH.out.graph, GRAPH.out.json]) { assembly -> "${assembly.group}/refine/${assembly.id}" })
        .mix(inFolder([ch_refined.alone.map { group, assembly, _n -> [[group: group.id, id: assembly.id], [assembly.contig2bin, assembly.refinement, assembly.json]] }]) { assembly -> "${assembly.group}/refine/${assembly.id}" })
        .mix(inFolder([TRANSFER.out.contig2bin, TRANSFER.out.refinement, TRANSFER.out.json]) { group -> group.id }) // in refine/<assembly>
        .mix(inFolder([TRANSFER.out.same_genomes]) { group -> "${group.id}/transfer" })
        .mix(inFolder([GENES.out.genes, GENES.out.fasta]) { group -> "${group.id}/genes" })
        .mix(inFolder([TAXONOMY.out.taxonomy]) { group -> "${group.id}/taxonomy" })
        .mix(inFolder([TRUTH.out.truth]) { group -> "${group.id}/truth" })
        .mix(inFolder([BENCHMARK.out.binnings, BENCHMARK.out.genomes_found, BENCHMARK.out.ratios, BENCHMARK.out.pairs, BENCHMARK.out.best_bins]) { group -> "${group.id}/benchmark" })
        .mix(inFolder([COMPARE.out.compared_bins, COMPARE.out.common_bins, COMPARE.out.differences, COMPARE.out.tiers]) { group -> "${group.id}/compare" })
        .mix(inFolder([ch_clusters, BINS.out.fasta, BINS.out.contig2bin, BINS.out.bins, BINS.out.genomes, BINS.out.unbinned, BINS.out.formats]) { group -> group.id }) // in bins and formats
        .mix(inFolder([UMAP_POINTS.out.points]) { group -> "${group.id}/umap_points" })
        .mix(inFolder([DRAW_BINS.out.picture, DRAW_BINS.out.colours]) { assembly -> "${assembly.group}/draw_bins" })

    summary    = SUMMARY.out.json
    features   = described.tnf.join(described.abundance).join(described.depth).join(described.rows).join(described.json)
        .join(ch_contigs)
    bins       = BINS.out.fasta
    contig2bin = BINS.out.contig2bin

    emit: // each name is assigned above, which the strict parser of Nextflow 25.04 needs
    results    = results    // [ folder, file ]: everything that is published
    reported   = reported   // [ group, files ]: as workflows/report.nf takes them
    summary    = summary    // summary.json
    features   = features   // [ group, tnf, abundance, depth, rows, features.json, contigs ]
    bins       = bins       // [ group, fastas ]
    contig2bin = contig2bin // [ group, contig2bin.tsv ]
}
