// Describes the clusters of a gene catalogue: their sizes, and how many there are of which size.
process GENE_CLUSTERS {
    tag "${meta.id}"
    label 'process_single'
    label 'image_core'

    input:
    tuple val(meta), path(clusters), path(contigs)

    output:
    tuple val(meta), path('gene_clusters.tsv'), emit: table
    tuple val(meta), path('cluster_sizes.tsv'), emit: sizes
    tuple val(task.process), val('numpy pandas'), eval('python3 -c "from importlib.metadata import version; print(*map(version, \'numpy pandas\'.split()))"'), topic: versions

    script:
    """
    # modules: assembly_tables.py gene_tables.py message_text.py output_files.py stage_tables.py table_bytes.py table_columns.py table_output.py
    gene_clusters.py --clusters ${clusters} --contigs ${contigs} ${task.ext.args ?: ''}
    """

    stub:
    """
    touch gene_clusters.tsv cluster_sizes.tsv
    """
}
