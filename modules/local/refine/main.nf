include { memoryOf ; bytesOf } from '../../../workflows/memory'

// Corrects and completes the bins of one assembly by coverage, composition and, where there is one, its graph.
process REFINE {
    tag "${meta.group} ${meta.id}"
    label 'process_low'
    label 'image_core'
    memory { memoryOf(task, [bytesOf(contigs), share * bytesOf(profiles)]) }

    input:
    tuple val(meta), path(graph), path(contigs), path(clusters), path(profiles), path(homologs), path(markers), val(share)
    // graph: vertices.tsv.gz and edges.tsv.gz, or nothing, as with markers; profiles: coverage.tsv.gz, tetranucleotides.npy,
    // features.json, pair_links.tsv.gz and edits.tsv.gz of the group, of whose contigs the assembly has this share
    val options

    output:
    tuple val(meta), path('contig2bin.tsv') , emit: contig2bin
    tuple val(meta), path('refinement.tsv') , emit: refinement
    tuple val(meta), path('refinement.json'), emit: json
    tuple val(task.process), val('numpy pandas'), eval('python3 -c "from importlib.metadata import version; print(*map(version, \'numpy pandas\'.split()))"'), topic: versions

    script:
    """
    # modules: assembly_tables.py assign_contigs.py base_digits.py bin_model.py cluster_sides.py collapsed_contigs.py contig_evidence.py coverage_evidence.py foreign_reads.py grow_clusters.py join_clusters.py message_text.py model_inputs.py output_files.py pieces.py refinement_tables.py related_bins.py shared_contigs.py split_by_coverage.py split_by_homologs.py split_clusters.py stage_arrays.py stage_tables.py table_bytes.py table_columns.py table_output.py tetranucleotides.py
    refine.py --assembly ${meta.id} ${graph ? '--vertices vertices.tsv.gz --edges edges.tsv.gz' : ''} --contigs ${contigs} \\
        --clusters ${clusters} --coverage coverage.tsv.gz --edits edits.tsv.gz \\
        --tetranucleotides tetranucleotides.npy --features features.json --pair_links pair_links.tsv.gz \\
        --homologs ${homologs} ${markers ? "--markers ${markers}" : ''} \\
        --threads ${task.cpus} ${options} ${task.ext.args ?: ''}
    """

    stub:
    """
    touch contig2bin.tsv refinement.tsv refinement.json
    """
}
