// Finds the genes of a group's bins.
process GENES {
    tag "${meta.id}"
    label 'process_low'
    label 'image_core'

    input:
    tuple val(meta), path(catalogue), path(contigs), path(contig2bin)

    output:
    tuple val(meta), path('genes.tsv.gz'), emit: genes
    tuple val(meta), path('genes.fna.gz'), emit: fasta
    tuple val(task.process), val('numpy pandas pyrodigal'), eval('python3 -c "from importlib.metadata import version; print(*map(version, \'numpy pandas pyrodigal\'.split()))"'), topic: versions

    script:
    """
    # modules: bin_scores.py bin_taxonomy.py binner_files.py catalogue_fasta.py compared_bins.py contig_names.py evaluation_tables.py gene_finding.py message_text.py output_files.py stage_tables.py table_bytes.py table_columns.py table_output.py
    genes.py --catalogue ${catalogue} --contigs ${contigs} --contig2bin ${contig2bin} --threads ${task.cpus} ${task.ext.args ?: ''}
    """

    stub:
    """
    touch genes.tsv.gz genes.fna.gz
    """
}
