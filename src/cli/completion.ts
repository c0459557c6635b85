import type { Command, Option } from 'commander'

export const shells = ['bash', 'zsh', 'fish'] as const
export type Shell = (typeof shells)[number]

/** A script that completes this command line in a shell; written from the commands themselves. */
export function completionScript(shell: Shell, program: Command): string {
  switch (shell) {
    case 'bash':
      return bashScript(program)
    case 'zsh':
      return `#compdef kmsfleet\nautoload -U +X bashcompinit && bashcompinit\n${bashScript(program)}`
    case 'fish':
      return fishScript(program)
  }
}

/** The first words of what `doc` lists are modules, those of the folder's own too; it runs no code of a project. */
const moduleNames = "kmsfleet doc 2>/dev/null | cut -d ' ' -f 1"

/** A command and the words that lead to it, such as `inventory list`. */
interface Leaf {
  readonly path: readonly string[]
  readonly command: Command
}

function leaves(command: Command, path: readonly string[] = []): readonly Leaf[] {
  return command.commands.flatMap((child) => {
    const way = [...path, child.name()]
    return [{ path: way, command: child }, ...leaves(child, way)]
  })
}

function flags(option: Option): readonly string[] {
  return [option.short, option.long].filter((flag) => flag !== undefined)
}

/** Words that may stand after a command: those of its subcommands, or the choices of its arguments. */
function names(command: Command): readonly string[] {
  return [
    ...command.commands.map((child) => child.name()),
    ...command.registeredArguments.flatMap((argument) => argument.argChoices ?? []),
  ]
}

function bashScript(program: Command): string {
  const cases = leaves(program).map(({ path, command }) => {
    const words = [...names(command), ...command.options.flatMap(flags), '--help'].join(' ')
    return `    '${path.join(' ')}') words='${words}' ;;`
  })
  const values = leaves(program)
    .flatMap(({ command }) => command.options)
    .filter((option) => option.argChoices !== undefined)
    .map((option) => [flags(option).join(' | '), (option.argChoices ?? []).join(' ')] as const)
  const choices = [...new Map(values)].map(([flag, words]) => `    ${flag}) words='${words}' ;;`)
  return `_kmsfleet() {
  local current=\${COMP_WORDS[COMP_CWORD]} before=\${COMP_WORDS[COMP_CWORD - 1]} words= path= word
  for word in "\${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
    case $word in
      [a-z]*) case "\${path:+$path }$word" in ${patterns(program)}) path="\${path:+$path }$word" ;; esac ;;
    esac
  done
  case $path in
    '') words='${names(program).join(' ')} help --help --version' ;;
${cases.join('\n')}
  esac
  if [ "$path" = doc ] && [ "\${current#-}" = "$current" ]; then words=$(${moduleNames}); fi
  case $before in
${choices.join('\n')}
  esac
  COMPREPLY=()
  while IFS= read -r word; do COMPREPLY+=("$word"); done < <(compgen -W "$words" -- "$current")
}
complete -o default -F _kmsfleet kmsfleet
`
}

function patterns(program: Command): string {
  return leaves(program)
    .map(({ path }) => `'${path.join(' ')}'`)
    .join(' | ')
}

function fishScript(program: Command): string {
  const line = (...words: readonly string[]): string => `complete -c kmsfleet ${words.join(' ')}`
  const top = program.commands.map((command) =>
    line('-f', '-n', '__fish_use_subcommand', '-a', command.name(), '-d', fishText(command.description())),
  )
  const below = leaves(program).flatMap(({ path, command }) => {
    const seen = fishText(path.map((word) => `__fish_seen_subcommand_from ${word}`).join('; and '))
    return [
      ...command.commands.map((child) =>
        line('-f', '-n', seen, '-a', child.name(), '-d', fishText(child.description())),
      ),
      ...command.options.map((option) =>
        line('-n', seen, ...fishFlags(option), '-d', fishText(option.description)),
      ),
    ]
  })
  const modules = line('-f', '-n', "'__fish_seen_subcommand_from doc'", '-a', fishText(`(${moduleNames})`))
  return `${[...top, ...below, modules].join('\n')}\n`
}

function fishFlags(option: Option): readonly string[] {
  return [
    ...(option.short === undefined ? [] : ['-s', option.short.slice(1)]),
    ...(option.long === undefined ? [] : ['-l', option.long.slice(2)]),
    ...(option.required ? ['-r'] : []),
    ...(option.argChoices === undefined ? [] : ['-f', '-a', fishText(option.argChoices.join(' '))]),
  ]
}

/** Single quotes of fish know two escapes. */
function fishText(text: string): string {
  return `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`
}
