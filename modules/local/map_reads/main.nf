include { memoryOf ; memoryInArray ; bytesOf ; partBytes ; batchBytes ; sortBytes } from '../../../workflows/memory'

// Maps one sample to its group's catalogue, or takes its BAM, and counts reads as the alignments stream by.
process MAP_READS {
    tag "${meta.group} ${meta.id}"
    label 'process_high'
    label 'image_core'
    memory { contigs == null ? memoryInArray(task) : memoryOf(task, [partBytes(mode, index, 3.1), bytesOf(contigs), bam ? 0 : batchBytes(mode, task.cpus), options.contains('--save_bam') && !bam ? sortBytes(task.cpus) : 0]) }

    input:
    tuple val(meta), path(reads, stageAs: 'reads?/*'), path(bam), path(contigs), path(index), val(mode)
    val options

    output:
    tuple val(meta), path("${meta.id}.counts.tsv.gz"), emit: counts
    tuple val(meta), path("${meta.id}.mapping.tsv")  , emit: mapping
    tuple val(meta), path("${meta.id}.pairs.tsv.gz") , emit: pairs, optional: true
    tuple val(meta), path("${meta.id}.bam{,.bai}")   , emit: bam, optional: true
    tuple val(task.process), val(meta), path('warnings.txt'), topic: warnings, optional: true
    tuple val(task.process), val('samtools'), eval('samtools --version | sed -n "1s/samtools //p"'), topic: versions
    tuple val(task.process), val('minimap2'), eval('minimap2 --version'), topic: versions
    tuple val(task.process), val('bwa'), eval('bwa 2>&1 | sed -n "s/^Version: //p"'), topic: versions
    tuple val(task.process), val('strobealign'), eval('strobealign --version 2>&1 | sed -n "s/^strobealign //p"'), topic: versions
    tuple val(task.process), val('numpy pandas pysam'), eval('python3 -c "from importlib.metadata import version; print(*map(version, \'numpy pandas pysam\'.split()))"'), topic: versions

    script:
    def source = bam
        ? "--bam ${bam}"
        : [reads].flatten().collect { file -> "--reads ${file}" }.join(' ') + " --index ${index}/catalogue ${mode in ['bwa', 'strobealign'] ? "--mapper ${mode}" : "--mapper minimap2 --preset ${mode}"}"
    def mapper_args = task.ext.mapper_args && !bam ? "-- ${task.ext.mapper_args}" : ''
    """
    # modules: abundance_estimates.py alignment_counts.py alignment_limits.py command_pipe.py fastq_reads.py key_counts.py message_text.py minimap2_commands.py output_files.py read_pairs.py stage_tables.py stage_warnings.py strobealign_index.py table_bytes.py table_columns.py table_output.py
    map_reads.py --sample ${meta.id} --contigs ${contigs} ${source} --threads ${task.cpus} \\
        ${options} ${task.ext.args ?: ''} ${mapper_args}
    """

    stub:
    def save = options.contains('--save_bam') && !bam
    def pairs = options.contains('--no_pairs') ? '' : "${meta.id}.pairs.tsv.gz"
    """
    touch ${meta.id}.counts.tsv.gz ${meta.id}.mapping.tsv ${pairs} ${save ? "${meta.id}.bam ${meta.id}.bam.bai" : ''}
    """
}
