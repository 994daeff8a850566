/** `manystart slurm`: an array of shards on a SLURM cluster, and the merge that waits for it. */
import { execFile } from 'node:child_process'
import { chmod } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { promisify } from 'node:util'
import { InputError, WorkError } from '../../core/errors.js'
import { isThere, makeDirectory, reason, replaceFile } from '../../runs/files.js'
import { checkSharded, shardRange } from '../../study/record.js'
import { prepareProblem } from '../../study/setup.js'
import type { Command, Flags } from '../command.js'
import { configFile, print, studyFrom } from '../common.js'
import { lines } from '../terminal.js'
import { countFlag, studyFlags } from '../flags.js'

const defaultDirectory = 'manystart-slurm'
/** Flags of this command, which its tasks do not get. */
const ownFlags = ['tasks', 'submit', 'sbatch', 'out', 'force', 'quiet', 'json', 'config']
/** In the first lines of the scripts: what is ours may be written again. */
const mark = '# written by manystart slurm'

const quote = (text: string): string =>
  /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", String.raw`'\''`)}'`

/** The words that give a study its flags again. */
function wordsOf(flags: Flags): string[] {
  return Object.entries(flags).flatMap(([name, value]) => {
    // Names that the parser adds to those that were typed: camel case, and its own.
    if (value === undefined || ownFlags.includes(name) || !/^[a-z][a-z0-9-]*$/.test(name)) return []
    if (typeof value === 'boolean') return [value ? `--${name}` : `--no-${name}`]
    return [`--${name}`, quote(String(value))]
  })
}

export const slurmCommand: Command = {
  positionals: [configFile],
  flags: {
    SLURM: {
      tasks: { type: 'string', requiresArg: true, describe: 'shards, each a task of the array', value: 'N' },
      submit: { type: 'boolean', describe: 'submit the array and the merge, too' },
      sbatch: {
        type: 'string',
        requiresArg: true,
        describe: 'options for sbatch, such as "--time=8:00:00 --cpus-per-task=4"',
        value: 'TEXT'
      }
    },
    ...studyFlags
  },
  examples: [['manystart slurm study.yaml --tasks 64 --submit', '64 shards, and their merge after them']],
  async run(flags) {
    const tasks = countFlag(flags, 'tasks')
    if (tasks === undefined) throw new InputError('--tasks is missing; give the number of shards, such as --tasks 64.')
    const config = studyFrom(flags)
    if (config.starts.count === 0)
      throw new InputError('--starts is missing; say how many starts of the file are to be run.')
    if (tasks > config.starts.count)
      throw new InputError(
        `--tasks is ${tasks} for ${config.starts.count} starts; give at most one task for each start.`
      )
    // What is wrong with the study is said now, not by every task.
    checkSharded(config)
    await prepareProblem(config)
    const directory = resolve(typeof flags['out'] === 'string' ? flags['out'] : defaultDirectory)
    const scripts = scriptsFor(flags, directory, tasks)
    try {
      await makeDirectory(join(directory, 'logs'))
    } catch (error) {
      throw new InputError(`The directory ${directory} cannot be used: ${reason(error)}; give another with --out.`)
    }
    for (const [name, text] of Object.entries(scripts)) {
      const path = join(directory, name)
      await checkOwn(path)
      await replaceFile(path, text)
      await chmod(path, 0o755)
    }
    const most = shardRange(config.starts.count, { index: tasks, of: tasks }).count
    print(
      lines([
        `${tasks} tasks of at most ${most} starts each: ${join(directory, 'array.sh')}, then ${join(directory, 'merge.sh')}.`
      ])
    )
    if (flags['submit'] !== true)
      print(
        lines([
          `Submit both by ${join(directory, 'submit.sh')}; the whole study will be in ${join(directory, 'study')}.`
        ])
      )
    else print(await submit(join(directory, 'submit.sh')))
  }
}

async function checkOwn(path: string): Promise<void> {
  if (!(await isThere(path))) return
  const { readFile } = await import('node:fs/promises')
  if (!(await readFile(path, 'utf8')).includes(mark))
    throw new InputError(
      `${path} was not written by this program, so it is not replaced; give another directory with --out.`
    )
}

/**
 * The scripts by name. The merge begins when all tasks have ended, however: it is the one to say which shard is not complete. A task that is run again, by hand or because the cluster requeued it, goes on where it stopped.
 */
function scriptsFor(flags: Flags, directory: string, tasks: number): Record<string, string> {
  const program = `${quote(process.execPath)} ${quote(process.argv[1])}`
  const config = typeof flags['config'] === 'string' ? ` ${quote(resolve(flags['config']))}` : ''
  const words = wordsOf(flags).join(' ')
  const extra = typeof flags['sbatch'] === 'string' ? `#SBATCH ${flags['sbatch']}\n` : ''
  const head = (job: string, output: string, more = ''): string =>
    `#!/bin/bash\n${mark}\n#SBATCH --job-name=${job}\n#SBATCH --output=${quote(join(directory, 'logs', output))}\n${more}${extra}` +
    `cd ${quote(process.cwd())} || exit 1\n`
  const shards = join(directory, 'shards')
  return {
    'array.sh':
      head('manystart', '%A_%a.out', `#SBATCH --array=1-${tasks}\n#SBATCH --requeue\n`) +
      `exec ${program} study${config} ${words} --quiet --resume ${quote(shards)}/"$SLURM_ARRAY_TASK_ID" --shard "$SLURM_ARRAY_TASK_ID"/${tasks}\n`,
    'merge.sh':
      head('manystart-merge', 'merge_%j.out', '#SBATCH --requeue\n') +
      `exec ${program} merge ${quote(join(directory, 'study'))} ${quote(shards)} --force\n`,
    'submit.sh': `#!/bin/bash
${mark}
set -eu
array=$(sbatch --parsable ${quote(join(directory, 'array.sh'))})
merge=$(sbatch --parsable --dependency=afterany:"\${array%%;*}" ${quote(join(directory, 'merge.sh'))})
echo "array job $array, merge job $merge"
`
  }
}

async function submit(script: string): Promise<string> {
  try {
    const { stdout } = await promisify(execFile)(script)
    return stdout
  } catch (error) {
    const { stderr = '', message } = error as { stderr?: string; message: string }
    const said = /sbatch: (?:command )?not found/.test(stderr)
      ? 'there is no sbatch on this machine'
      : (stderr.trim().split('\n').at(-1) ?? message)
    throw new WorkError(`The jobs could not be submitted (${said}); run ${script} where SLURM is.`)
  }
}
