// Prints as JSON what the configuration gives to the tasks of an executor (--executor): settings by selector, with every
// closure resolved, and what is done about each exit status.

def resolved(value, task) {
    if (value instanceof Map) {
        return value.collectEntries { name, inner -> [name, resolved(inner, task)] }
    }
    if (!(value instanceof Closure)) {
        return "${value}".toString()
    }
    def closure = value.clone()
    closure.delegate = [task: task, params: params, workflow: workflow]
    closure.resolveStrategy = Closure.DELEGATE_FIRST
    return resolved(closure.call(), task)
}

workflow {
    def config = nextflow.Global.session.config
    def task = [executor: params.executor, attempt: 1, exitStatus: 1, ext: [checkpoint_dir: '/checkpoints']]
    // What hands over the folder of checkpoints is part of other settings
    task.ext.checkpoint_mount = resolved(config.process['withName:VAE'].ext.checkpoint_mount, task)
    def strategy = [0, 1, 104, 130, 137, 143, 2147483647].collectEntries { status -> ["${status}".toString(), resolved(config.process.errorStrategy, task + [exitStatus: status])] }
    println('SETTINGS ' + groovy.json.JsonOutput.toJson([process: resolved(config.process, task), strategy: strategy, aws: config.aws ?: [:]]))
}
