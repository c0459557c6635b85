import { execFileSync } from 'node:child_process'
import { describe, expect, test } from 'vitest'
import { completionScript } from '../../src/cli/completion.ts'
import { createProgram } from '../../src/cli/program.ts'

const program = createProgram('', () => undefined)

/** What bash offers for the last word of a line; `doc` answers what a test says that it lists. */
function offered(...line: readonly string[]): readonly string[] {
  const script = `kmsfleet() { printf '%s\\n' 'banner  A text' 'copy    A file'; }
${completionScript('bash', program)}
COMP_WORDS=(kmsfleet "$@"); COMP_CWORD=$#; _kmsfleet; printf '%s\\n' "\${COMPREPLY[@]}"`
  return execFileSync('bash', ['-c', script, 'bash', ...line], { encoding: 'utf8' })
    .trim()
    .split('\n')
}

describe('bash completes', () => {
  test.each<[what: string, line: readonly string[], words: readonly string[]]>([
    ['commands', ['tru'], ['trust', 'trust-project']],
    ['subcommands', ['inventory', 'g'], ['graph']],
    ['options of a command', ['trust-project', '--d'], ['--digest']],
    ['options of a subcommand', ['inventory', 'list', '--inv'], ['--inventory']],
    ['values of an option', ['plan', '--connection', 'l'], ['local']],
    ['an argument with choices', ['completion', 'z'], ['zsh']],
    ["modules, a project's own too", ['doc', ''], ['banner', 'copy']],
    ['nothing that there is not', ['nonsense', 'x'], ['']],
  ])('%s', (_, line, words) => {
    expect(offered(...line)).toEqual(words)
  })
})

test('zsh takes the script of bash, and fish one of its own with every command', () => {
  expect(completionScript('zsh', program)).toMatch(/^#compdef kmsfleet\n.*bashcompinit\n_kmsfleet\(\)/)
  const fish = completionScript('fish', program)
  for (const command of program.commands) expect(fish).toContain(` -a ${command.name()} -d '`)
  expect(fish).toContain("'__fish_seen_subcommand_from inventory; and __fish_seen_subcommand_from list'")
})
