include { memoryOf ; bytesOf } from '../../../workflows/memory'

// Aggregates what the report shows of a group.
process REPORT_DATA {
    tag "${meta.id}"
    label 'process_low'
    label 'image_core'
    memory { memoryOf(task, [bytesOf(inputs), bytesOf([contigs, gene_clusters])]) }

    input:
    tuple val(meta), path(contigs), path(bins), path(gene_clusters), path(features), path(inputs), path(mappings), path(trained), path(refinements, stageAs: 'refined?/*'), path(found), path(umap)
    // contigs: contigs.tsv, contig2bin.tsv and unbinned.tsv; of a gene catalogue, contigs: contigs.tsv, bins: [], and
    // gene_clusters: clusters.tsv, gene_clusters.tsv and cluster_sizes.tsv, which is [] else; inputs: rows.tsv, tnf.npy and abundance.npy;
    // mappings: <sample>.mapping.tsv of each sample, or []; trained: latent.npy, training.tsv and threshold.json, or [];
    // refinements: refinement.tsv of each refined assembly, or []; found: genomes_found.tsv, or []; umap: umap_points.tsv, or []

    output:
    tuple val(meta), path('report_data.json'), emit: data
    tuple val(task.process), val('numpy pandas'), eval('python3 -c "from importlib.metadata import version; print(*map(version, \'numpy pandas\'.split()))"'), topic: versions

    script:
    def mapped = [mappings].flatten().collect { table -> "--mapping ${table}" }
    def steps = [refinements].flatten().collect { table -> "--refinement ${table}" }
    def binned = gene_clusters
        ? '--genes contigs.tsv clusters.tsv gene_clusters.tsv cluster_sizes.tsv'
        : "--contigs contigs.tsv contig2bin.tsv unbinned.tsv --bins ${bins}"
    def known = found ? "--genomes_found ${found}" : ''
    def placed = umap ? "--umap ${umap}" : ''
    def learned = trained ? '--trained latent.npy training.tsv threshold.json' : ''
    """
    # modules: assembly_tables.py bin_scores.py bin_taxonomy.py binned_lengths.py evaluation_tables.py gene_tables.py message_text.py output_files.py principal_components.py refined_bins.py refinement_flows.py report_files.py shown_contigs.py stage_arrays.py stage_tables.py table_bytes.py table_columns.py
    report_data.py --group ${meta.id} ${binned} --features ${features} \\
        --inputs rows.tsv tnf.npy abundance.npy ${learned} ${mapped.join(' ')} ${steps.join(' ')} ${known} ${placed} ${task.ext.args ?: ''}
    """

    stub:
    """
    touch report_data.json
    """
}
