// Catalogue and features of the bundled co-assembly, from its table of abundances: where the tests of later stages start.
include { CATALOGUE } from '../../modules/local/catalogue/main'
include { HOMOLOGS  } from '../../modules/local/homologs/main'
include { FEATURES  } from '../../modules/local/features/main'

workflow UPSTREAM {
    main:
    CATALOGUE([[id: 'co'], ['coasm'], file("${projectDir}/tests/data/co.contigs.fasta.gz", checkIfExists: true)])
    FEATURES(
        CATALOGUE.out.catalogue.map { group, fasta, table ->
            [group, fasta, table, [], [], file("${projectDir}/tests/data/co.abundance.tsv", checkIfExists: true)]
        }
    )
    HOMOLOGS(CATALOGUE.out.catalogue)
    // assigned here, since the strict parser of Nextflow 25.04 loses the names of expressions below `emit:`
    catalogue = CATALOGUE.out.catalogue
    contigs   = CATALOGUE.out.catalogue.map { group, _fasta, table -> [group, table] }
    features  = FEATURES.out.features
    rows      = FEATURES.out.features.map { group, _tnf, _abundance, _depth, table, _json -> [group, table] }
    coverage  = FEATURES.out.coverage
    tetranucleotides = FEATURES.out.tetranucleotides
    excluded  = FEATURES.out.excluded
    homologs  = HOMOLOGS.out.homologs

    emit:
    catalogue // [ group, fasta, contigs.tsv ]
    contigs   // [ group, contigs.tsv ]
    features  // [ group, tnf, abundance, depth, rows, features.json ]
    rows      // [ group, rows ]
    coverage  // [ group, coverage ]
    tetranucleotides // [ group, tetranucleotides, features.json ]
    excluded  // [ group, excluded ]
    homologs  // [ group, homologs ]
}
