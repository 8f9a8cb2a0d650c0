// Checks the parameters and both sheets before anything else starts.
// It has no stub: every other task, stub or not, hangs on the rows it reads.
process VALIDATE {
    label 'image_core'

    input:
    stdin // the request as JSON, which no message about a failure repeats
    path input, stageAs: 'input/*'
    path assembly_input, stageAs: 'assembly_input/*'
    path schemas

    output:
    path 'problems.txt'  , emit: problems
    path 'validated.json', emit: sheets, optional: true
    tuple val(task.process), val('jsonschema'), eval('python3 -c "from importlib.metadata import version; print(*map(version, \'jsonschema\'.split()))"'), topic: versions

    script:
    def sheets = [input ? "--input ${input}" : '', assembly_input ? "--assembly_input ${assembly_input}" : ''].join(' ')
    """
    # modules: bin_scores.py message_text.py output_files.py parameters.py schema_rules.py sheet_checks.py sheets.py
    cat > request.json
    validate.py --request request.json ${sheets} \\
        --parameter_schema nextflow_schema.json \\
        --sample_schema schema_input.json --assembly_schema schema_assembly_input.json
    """
}
