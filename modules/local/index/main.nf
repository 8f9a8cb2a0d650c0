include { memoryOf ; partBytes } from '../../../workflows/memory'

// The mapper's index of a group's catalogue, made once for all samples that are mapped alike, and read back whole.
process INDEX {
    tag "${meta.id} ${mode}"
    label 'process_medium'
    label 'image_core'
    memory { memoryOf(task, [partBytes(mode, catalogue, 0.3)]) }

    input:
    tuple val(meta), val(mode), path(reads, stageAs: 'reads/*'), path(catalogue)
    // reads: FASTQ of the length that strobealign's index is made for; [] for the other mappers

    output:
    tuple val(meta), val(mode), path('index'), emit: index
    tuple val(task.process), val(meta), path('warnings.txt'), topic: warnings, optional: true
    tuple val(task.process), val('minimap2'), eval('minimap2 --version'), topic: versions
    tuple val(task.process), val('bwa'), eval('bwa 2>&1 | sed -n "s/^Version: //p"'), topic: versions
    tuple val(task.process), val('strobealign'), eval('strobealign --version 2>&1 | sed -n "s/^strobealign //p"'), topic: versions
    tuple val(task.process), val('numpy pandas'), eval('python3 -c "from importlib.metadata import version; print(*map(version, \'numpy pandas\'.split()))"'), topic: versions

    script:
    """
    # modules: catalogue_fasta.py command_pipe.py fastq_reads.py mapper_index.py message_text.py minimap2_commands.py output_files.py stage_warnings.py strobealign_index.py
    index.py --catalogue ${catalogue} --mode ${mode} ${reads ? "--reads ${reads}" : ''} --threads ${task.cpus}
    """

    stub:
    """
    mkdir index
    """
}
