// Prints the share of each assembly (--ids) in a group whose contigs are counted as the process CATALOGUE counts them.

include { shareOf } from '../../workflows/memory'

workflow {
    println('SHARES ' + params.ids.tokenize(',').collect { id -> shareOf(file(params.counted).text, id) }.join(' '))
}
