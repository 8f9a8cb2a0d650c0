include { memoryOf ; bytesOf } from '../../../workflows/memory'

// Completes the bins of each assembly of a group by the genomes that the other assemblies show.
process TRANSFER {
    tag "${meta.id}"
    label 'process_low'
    label 'image_core'
    memory { memoryOf(task, [bytesOf(catalogue), bytesOf(profiles)]) }

    input:
    tuple val(meta), path(catalogue), path(profiles), val(ids), path(contig2bins, stageAs: 'refined?/*'), path(refinements, stageAs: 'refined?/*'), val(graph_ids), path(vertices, stageAs: 'graph?/*'), path(edges, stageAs: 'graph?/*')
    // catalogue: catalogue.fa.gz and contigs.tsv; profiles: coverage.tsv.gz, tetranucleotides.npy, features.json and
    // pair_links.tsv.gz; ids: of the assemblies; graph_ids: of those that have a graph
    val options

    output:
    tuple val(meta), path('refine/*/contig2bin.tsv') , emit: contig2bin
    tuple val(meta), path('refine/*/refinement.tsv') , emit: refinement
    tuple val(meta), path('refine/*/refinement.json'), emit: json
    tuple val(meta), path('same_genomes.tsv'), emit: same_genomes
    tuple val(task.process), val('numpy pandas'), eval('python3 -c "from importlib.metadata import version; print(*map(version, \'numpy pandas\'.split()))"'), topic: versions

    script:
    def refined = [[contig2bins].flatten(), [refinements].flatten()].transpose()
        .collect { contig2bin, refinement -> "--refined ${contig2bin} ${refinement}" }
    def graphs = [graph_ids, [vertices].flatten(), [edges].flatten()].transpose()
        .collect { id, vertex, edge -> "--graph ${id} ${vertex} ${edge}" }
    """
    # modules: assembly_tables.py assign_contigs.py base_digits.py bin_model.py catalogue_fasta.py cluster_sides.py collapsed_contigs.py contig_evidence.py coverage_evidence.py foreign_reads.py join_clusters.py kmer_samples.py message_text.py model_inputs.py output_files.py pieces.py refined_bins.py refinement_tables.py related_bins.py same_genomes.py shared_contigs.py shared_kmers.py split_by_homologs.py stage_arrays.py stage_tables.py table_bytes.py table_columns.py table_output.py tetranucleotides.py
    transfer.py --catalogue catalogue.fa.gz --contigs contigs.tsv --coverage coverage.tsv.gz \\
        --tetranucleotides tetranucleotides.npy --features features.json --pair_links pair_links.tsv.gz ${refined.join(' ')} ${graphs.join(' ')} \\
        --threads ${task.cpus} ${options} ${task.ext.args ?: ''}
    """

    stub:
    """
    for id in ${ids.join(' ')}; do
        mkdir -p "refine/\$id"
        touch "refine/\$id/contig2bin.tsv" "refine/\$id/refinement.tsv" "refine/\$id/refinement.json"
    done
    touch same_genomes.tsv
    """
}
