// Writes the report of the run. What takes the versions of all stages must send none to their topic itself, which ends
// only when everything else did: its own version is an output.
process REPORT {
    label 'process_single'
    label 'image_report'

    input:
    path groups, stageAs: 'group?/*' // report_data.json of each group
    path summary                     // summary.json
    path settings                    // MultiQC's: multiqc_config.yml and multiqc.css
    val run                          // as JSON: texts about the run by their names
    val versions                     // as JSON: version of each tool by process

    output:
    path 'report.html', emit: html
    tuple val(task.process), val('multiqc'), eval('sed -n "s/.*MultiQC.* v\\([0-9.]*\\).*/\\1/p" multiqc.log | head -n 1'), emit: version

    script:
    def of_groups = [groups].flatten().collect { data -> "--group ${data}" }
    """
    # modules: message_text.py output_files.py report_dots.py report_figures.py report_files.py report_flows.py report_style.py report_tables.py report_words.py
    cat > run.json <<'END_OF_RUN'
    ${run}
    END_OF_RUN
    cat > versions.json <<'END_OF_VERSIONS'
    ${versions}
    END_OF_VERSIONS
    report.py ${of_groups.join(' ')} --summary ${summary} --run run.json --versions versions.json --outdir content ${task.ext.args ?: ''}
    # The user's own settings of MultiQC would change the report, so there are none to find.
    unset "\${!MULTIQC_@}"
    HOME=\$PWD XDG_CONFIG_HOME=\$PWD multiqc --config multiqc_config.yml --filename report.html content 2>&1 | tee multiqc.log
    """

    stub:
    """
    touch report.html
    echo '/// MultiQC v0.0' > multiqc.log
    """
}
