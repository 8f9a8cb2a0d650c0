include { memoryOf ; bytesOf } from '../../../workflows/memory'

// Writes a group's bins as FASTA, with the tables that describe them and what was left unbinned.
process BINS {
    tag "${meta.id}"
    label 'process_low'
    label 'image_core'
    memory { memoryOf(task, [bytesOf(profiles), bytesOf(refinements)]) }

    input:
    tuple val(meta), path(catalogue), path(clusters), path(profiles), path(contig2bins, stageAs: 'refined?/*'), path(refinements, stageAs: 'refined?/*'), path(same_genomes), path(markers, stageAs: 'markers?/*'), path(families, stageAs: 'markers?/*')
    // catalogue: catalogue.fa.gz and contigs.tsv; profiles: coverage.tsv.gz and excluded.tsv;
    // same_genomes: same_genomes.tsv of several assemblies, or []
    val options

    output:
    tuple val(meta), path('bins/*.fa.gz')  , emit: fasta, optional: true
    tuple val(meta), path('contig2bin.tsv'), emit: contig2bin
    tuple val(meta), path('bins.tsv')      , emit: bins
    tuple val(meta), path('genomes.tsv')   , emit: genomes, optional: true
    tuple val(meta), path('unbinned.tsv')  , emit: unbinned
    tuple val(meta), path('formats/*')     , emit: formats, optional: true
    tuple val(task.process), val(meta), path('warnings.txt'), topic: warnings, optional: true
    tuple val(task.process), val('python'), eval('python3 --version | cut -d" " -f2'), topic: versions
    tuple val(task.process), val('numpy pandas'), eval('python3 -c "from importlib.metadata import version; print(*map(version, \'numpy pandas\'.split()))"'), topic: versions

    script:
    def refined = [[contig2bins].flatten(), [refinements].flatten()].transpose()
        .collect { contig2bin, refinement -> "--refined ${contig2bin} ${refinement}" }
    def found = [[markers].flatten(), [families].flatten()].transpose()
        .collect { genes, known -> "--markers ${genes} ${known}" }
    """
    # modules: assembly_tables.py bin_formats.py bin_quality.py catalogue_fasta.py message_text.py output_files.py refined_bins.py stage_tables.py stage_warnings.py table_bytes.py table_columns.py table_output.py
    bins.py --catalogue catalogue.fa.gz --contigs contigs.tsv --clusters ${clusters} --excluded excluded.tsv \\
        --coverage coverage.tsv.gz ${refined.join(' ')} ${same_genomes ? "--same_genomes ${same_genomes}" : ''} ${found.join(' ')} \\
        ${options} ${task.ext.args ?: ''}
    """

    stub:
    """
    mkdir bins formats
    touch formats/stub.contig2bin.tsv formats/stub.anvio.txt formats/stub.biobox.tsv
    touch bins/stub.001.fa.gz contig2bin.tsv bins.tsv ${same_genomes ? 'genomes.tsv' : ''} unbinned.tsv
    """
}
