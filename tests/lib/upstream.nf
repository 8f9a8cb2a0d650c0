// Catalogue and features of the bundled co-assembly, from its table of abundances: where the tests of later stages start.
include { CATALOGUE } from '../../modules/local/catalogue/main'
include { HOMOLOGS  } from '../../modules/local/homologs/main'
include { FEATURES  } from '../../modules/local/features/main'

workflow UPSTREAM {
    main:
    CATALOGUE([[id: 'co'], ['coasm'], file("${projectDir}/tests/data/co.contigs.fasta.gz", checkIfExists: true)])
    FEATURES(
        CATALOGUE.out.fasta.join(CATALOGUE.out.contigs).map { group, fasta, contigs ->
            [group, fasta, contigs, [], [], [], file("${projectDir}/tests/data/co.abundance.tsv", checkIfExists: true)]
        },
        '--min_contig_length=500'
    )
    HOMOLOGS(CATALOGUE.out.fasta.join(CATALOGUE.out.contigs))
    fasta            = CATALOGUE.out.fasta
    contigs          = CATALOGUE.out.contigs
    tnf              = FEATURES.out.tnf
    abundance        = FEATURES.out.abundance
    depth            = FEATURES.out.depth
    rows             = FEATURES.out.rows
    json             = FEATURES.out.json
    tetranucleotides = FEATURES.out.tetranucleotides
    coverage         = FEATURES.out.coverage
    edits            = FEATURES.out.edits
    pair_links       = FEATURES.out.pair_links
    excluded         = FEATURES.out.excluded
    homologs         = HOMOLOGS.out.homologs

    emit: // each is [ group, file ]; each name is assigned above, which the strict parser of Nextflow 25.04 needs
    fasta            = fasta
    contigs          = contigs
    tnf              = tnf
    abundance        = abundance
    depth            = depth
    rows             = rows
    json             = json
    tetranucleotides = tetranucleotides
    coverage         = coverage
    edits            = edits
    pair_links       = pair_links
    excluded         = excluded
    homologs         = homologs
}
