/** `manystart completion`: a script for the shell that completes commands, their flags, and values that come from a list. */
import { InputError } from '../../core/errors.js'
import { knownNames } from '../../core/names.js'
import { builtins } from '../../data/builtin.js'
import { engines } from '../../engines/registry.js'
import { activations, losses } from '../../models/types.js'
import { optimizerNames } from '../../optimizers/registry.js'
import { flagsOf, type Command, type Entry } from '../command.js'
import { print } from '../common.js'

/** Values that a flag takes from a list. Where a file may stand too, the shell completes names of files beside them. */
const values: Readonly<Record<string, readonly string[]>> = {
  data: Object.keys(builtins),
  activation: activations,
  loss: losses,
  optimizer: optimizerNames,
  engine: ['auto', ...engines.map(e => e.name)],
  precision: ['f64', 'f32', 'mixed']
}

interface Words {
  readonly name: string
  readonly describe: string
  readonly flags: readonly (readonly [name: string, describe: string])[]
  readonly below: readonly string[]
}

/** Every command with the words that may follow it. */
async function wordsOfAll(commands: Readonly<Record<string, Entry>>): Promise<Words[]> {
  return Promise.all(
    Object.entries(commands).map(async ([name, entry]) => {
      const command = await entry.load()
      const all: Command[] = [command, ...Object.values(command.commands ?? {})]
      const flags = Object.assign({}, ...all.map(flagsOf)) as ReturnType<typeof flagsOf>
      return {
        name,
        describe: entry.describe,
        flags: [
          ...Object.entries(flags).map(([flag, o]) => [`--${flag}`, o.describe ?? ''] as const),
          ['--help', 'usage']
        ],
        below: Object.keys(command.commands ?? {})
      }
    })
  )
}

function bash(all: readonly Words[]): string {
  const listed = Object.entries(values).map(([flag, of]) => `    --${flag}) words="${of.join(' ')}" ;;`)
  const followed = all.map(c => `    ${c.name}) words="${[...c.below, ...c.flags.map(([f]) => f)].join(' ')}" ;;`)
  return `# bash completion for manystart: eval "$(manystart completion bash)"
_manystart() {
  local current="\${COMP_WORDS[COMP_CWORD]}" before="\${COMP_WORDS[COMP_CWORD-1]}" words=""
  case "$before" in
${listed.join('\n')}
  esac
  if [ -z "$words" ] && [ "$COMP_CWORD" -eq 1 ]; then words="${all.map(c => c.name).join(' ')} --help --version"; fi
  if [ -z "$words" ] && [[ "$current" == -* || "$COMP_CWORD" -eq 2 ]]; then
    case "\${COMP_WORDS[1]}" in
${followed.map(line => `  ${line}`).join('\n')}
    esac
  fi
  COMPREPLY=( $(compgen -W "$words" -- "$current") )
}
complete -o default -F _manystart manystart
`
}

const quoted = (text: string): string => `'${text.replaceAll("'", "'\\''")}'`

function zsh(all: readonly Words[]): string {
  const described = (name: string, what: string): string => quoted(`${name.replaceAll(':', '\\:')}:${what}`)
  const cases = all.map(
    c =>
      `    ${c.name}) choices=(${[...c.below.map(w => described(w, '')), ...c.flags.map(([f, what]) => described(f, what))].join(' ')}) ;;`
  )
  const listed = Object.entries(values).map(([flag, of]) => `    --${flag}) compadd ${of.join(' ')}; _files; return ;;`)
  return `#compdef manystart
# zsh completion for manystart: eval "$(manystart completion zsh)"
_manystart() {
  local -a choices
  case "\${words[CURRENT-1]}" in
${listed.join('\n')}
  esac
  if (( CURRENT == 2 )); then
    choices=(${all.map(c => described(c.name, c.describe)).join(' ')})
    _describe command choices
    return
  fi
  case "\${words[2]}" in
${cases.join('\n')}
  esac
  _describe flag choices
  _files
}
compdef _manystart manystart
`
}

function fish(all: readonly Words[]): string {
  const lines = ['# fish completion for manystart: manystart completion fish | source']
  for (const c of all) {
    lines.push(`complete -c manystart -n __fish_use_subcommand -a ${c.name} -d ${quoted(c.describe)}`)
    const here = `-n "__fish_seen_subcommand_from ${c.name}"`
    for (const word of c.below) lines.push(`complete -c manystart ${here} -a ${word}`)
    for (const [flag, what] of c.flags) {
      const of = values[flag.slice(2)]
      lines.push(
        `complete -c manystart ${here} -l ${flag.slice(2)} -d ${quoted(what)}${of ? ` -r -a ${quoted(of.join(' '))}` : ''}`
      )
    }
  }
  return `${lines.join('\n')}\n`
}

const shells: Readonly<Record<string, (all: readonly Words[]) => string>> = { bash, zsh, fish }

export const completionCommand: Command = {
  positionals: [{ name: 'shell', describe: 'bash, zsh or fish; default: by $SHELL', required: false }],
  examples: [
    ['eval "$(manystart completion bash)"', 'in ~/.bashrc'],
    ['manystart completion fish | source', 'in config.fish']
  ],
  async run(flags, program) {
    const shell = String(flags['shell'] ?? process.env['SHELL']?.split('/').at(-1) ?? 'bash')
    const script = Object.hasOwn(shells, shell) ? shells[shell] : undefined
    if (!script)
      throw new InputError(
        `There is no completion for the shell "${shell}"; ${knownNames(shell, Object.keys(shells))}.`
      )
    print(script(await wordsOfAll(program)))
  }
}
