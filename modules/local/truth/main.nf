// Tells by blastn which reference genomes a group's contigs are from.
process TRUTH {
    tag "${meta.id}"
    label 'process_medium'
    label 'image_core'

    input:
    tuple val(meta), path(catalogue), path(contigs)
    tuple val(genomes), path(fastas, stageAs: 'genome?/*') // names of the genomes, and a FASTA for each

    output:
    tuple val(meta), path('truth.tsv'), emit: truth, optional: true // not there if no contig has a genome
    tuple val(task.process), val(meta), path('warnings.txt'), topic: warnings, optional: true
    tuple val(task.process), val('blastn'), eval('blastn -version | sed -n "s/^blastn: //p"'), topic: versions
    tuple val(task.process), val('numpy pandas'), eval('python3 -c "from importlib.metadata import version; print(*map(version, \'numpy pandas\'.split()))"'), topic: versions

    script:
    def given = [genomes, [fastas].flatten()].transpose().collect { name, fasta -> "--genome '${name}' ${fasta}" }
    """
    # modules: bin_scores.py bin_taxonomy.py binner_files.py catalogue_fasta.py command_pipe.py evaluation_tables.py message_text.py output_files.py reference_alignments.py stage_tables.py stage_warnings.py table_bytes.py table_columns.py table_output.py
    truth.py --catalogue ${catalogue} --contigs ${contigs} ${given.join(' ')} --threads ${task.cpus} ${task.ext.args ?: ''}
    """

    stub:
    """
    touch truth.tsv
    """
}
