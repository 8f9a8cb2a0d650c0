// The mapper's index of a group's catalogue, made once for all samples that are mapped alike.
process INDEX {
    tag "${meta.id} ${mode}"
    label 'process_medium'
    label 'image_core'

    input:
    tuple val(meta), val(mode), path(catalogue)

    output:
    tuple val(meta), val(mode), path('index'), emit: index
    tuple val(task.process), val('minimap2'), eval('minimap2 --version'), topic: versions
    tuple val(task.process), val('bwa'), eval('bwa 2>&1 | sed -n "s/^Version: //p"'), topic: versions

    script:
    // -I: one part however large the catalogue, since hits of different parts are never ranked together.
    def command = mode == 'bwa'
        ? "bwa index -p index/catalogue ${catalogue}"
        : "minimap2 -x ${mode} -I 1000G -t ${task.cpus} -d index/catalogue ${catalogue}"
    """
    mkdir index
    ${command}
    """

    stub:
    """
    mkdir index
    """
}
