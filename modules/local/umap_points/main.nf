include { memoryOf ; bytesOf } from '../../../workflows/memory'

// Places a group's contigs in two dimensions by UMAP, for the report.
process UMAP_POINTS {
    tag "${meta.id}"
    label 'process_low'
    label 'image_torch'
    memory { memoryOf(task, [bytesOf([inputs, latent]), bytesOf([contigs, gene_clusters])]) }

    input:
    tuple val(meta), path(contigs), path(bins), path(gene_clusters), path(features), path(inputs), path(latent)
    // contigs, bins, gene_clusters and inputs: as REPORT_DATA takes them; latent: latent.npy, or []

    output:
    tuple val(meta), path('umap_points.tsv'), emit: points
    tuple val(task.process), val('numpy pandas umap_learn'), eval('python3 -c "from importlib.metadata import version; print(*map(version, \'numpy pandas umap_learn\'.split()))"'), topic: versions

    script:
    def binned = gene_clusters ? '--genes clusters.tsv gene_clusters.tsv' : "--bins contigs.tsv contig2bin.tsv ${bins}"
    def learned = latent ? "--latent ${latent}" : ''
    // Numba keeps what it compiles and fails where it cannot; no folder but the task's own is sure to be writable.
    """
    # modules: gene_tables.py message_text.py output_files.py principal_components.py shown_contigs.py stage_arrays.py stage_tables.py table_bytes.py table_columns.py table_output.py
    export NUMBA_CACHE_DIR=\$PWD/numba
    umap_points.py ${binned} --features ${features} --inputs rows.tsv tnf.npy abundance.npy ${learned} ${task.ext.args ?: ''}
    """

    stub:
    """
    touch umap_points.tsv
    """
}
