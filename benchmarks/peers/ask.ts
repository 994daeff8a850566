/** Peers as programs: what has to be installed for each, and a run of its script within a time limit. */
import { spawn, spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import type { Missing, PeerAnswer, PeerFigure } from './types.js'

const folder = dirname(fileURLToPath(import.meta.url))

export interface Peer {
  readonly name: string
  /** A program and its arguments, before the file of problems; or in one sentence why it cannot run. */
  command(): { readonly run: readonly string[] } | { readonly reason: string }
}

/** Runs a tool to its end. @returns null, or in a few words why it failed */
function failure(command: string, args: readonly string[]): string | null {
  const { error, status, stderr } = spawnSync(command, args, { encoding: 'utf8', stdio: ['ignore', 'ignore', 'pipe'] })
  if (error) return error.message
  if (status === 0) return null
  return stderr.trim().split('\n').at(-1)?.slice(0, 300) || `exit code ${status}`
}

const python = join(folder, '.venv', process.platform === 'win32' ? 'Scripts/python.exe' : 'bin/python')
const requirements = join(folder, 'requirements.txt')

/** Makes the virtual environment where it is missing and fills it where requirements.txt has changed. */
function installPython(): string | null {
  const wanted = createHash('sha256').update(readFileSync(requirements)).digest('hex')
  const stamp = join(folder, '.venv/.made-from')
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === wanted) return null
  process.stderr.write('Installing the Python peers into benchmarks/peers/.venv …\n')
  const creator = process.platform === 'win32' ? 'python' : 'python3'
  if (!existsSync(python)) {
    const made = failure(creator, ['-m', 'venv', join(folder, '.venv')])
    if (made !== null)
      return `A virtual environment could not be made (${made}); install python3 with its venv module and repeat.`
  }
  const filled = failure(python, ['-m', 'pip', 'install', '--quiet', '--requirement', requirements])
  if (filled !== null) return `pip could not install benchmarks/peers/requirements.txt (${filled}).`
  writeFileSync(stamp, wanted)
  return null
}

export const pythonPeer = (name: string, script: string): Peer => ({
  name,
  command() {
    const reason = installPython()
    return reason === null ? { run: [python, join(folder, script)] } : { reason }
  }
})

const jaxJs = '@jax-js/jax@0.1.25'

export const peers: readonly Peer[] = [
  pythonPeer('JAX', 'jax_peer.py'),
  pythonPeer('PyTorch', 'torch_peer.py'),
  pythonPeer('scikit-learn', 'sklearn_peer.py'),
  {
    name: 'R',
    command() {
      if (failure('Rscript', ['--version']) !== null)
        return { reason: 'Rscript is not installed; install R (r-base) with its packages nnet and jsonlite.' }
      const lacks = failure('Rscript', [
        '-e',
        'for (p in c("nnet", "jsonlite", "parallel")) library(p, character.only = TRUE)'
      ])
      return lacks === null
        ? { run: ['Rscript', join(folder, 'r_peer.R')] }
        : { reason: 'R lacks nnet or jsonlite; install these packages (r-cran-nnet and r-cran-jsonlite).' }
    }
  },
  {
    name: 'jax-js',
    command() {
      const made = join(folder, 'node_modules/@jax-js/jax/package.json')
      const version = (): string => (JSON.parse(readFileSync(made, 'utf8')) as { version: string }).version
      if (!existsSync(made) || !jaxJs.endsWith(`@${version()}`)) {
        process.stderr.write('Installing jax-js into benchmarks/peers/node_modules …\n')
        const args = [
          'install',
          '--prefix',
          folder,
          '--no-save',
          '--no-package-lock',
          '--ignore-scripts',
          '--no-audit',
          jaxJs
        ]
        const npm = process.env['npm_execpath']
        const failed = npm?.endsWith('.js') ? failure(process.execPath, [npm, ...args]) : failure('npm', args)
        if (failed !== null) return { reason: `npm could not install ${jaxJs} (${failed}).` }
      }
      return { run: [process.execPath, join(folder, 'jaxjs_peer.mjs')] }
    }
  }
]

interface Line {
  readonly peer?: string
  readonly versions?: Readonly<Record<string, string>>
  readonly figure?: PeerFigure
  readonly note?: string
  readonly done?: boolean
}

/**
 * Runs a peer's script. It prints a line of JSON for each figure, so that those measured before a failure are kept.
 * @param seconds it is ended after so long
 * @returns its answer, and in `missing` why it is absent or not complete
 */
export async function ask(
  peer: Peer,
  problems: string,
  seconds: number
): Promise<{ answer: PeerAnswer; missing: Missing | null }> {
  const figures: PeerFigure[] = []
  const notes: string[] = []
  let versions: PeerAnswer['versions'] = {}
  const answer = (): PeerAnswer => ({ peer: peer.name, versions, figures, notes })
  const lacks = (reason: string): { answer: PeerAnswer; missing: Missing } => ({
    answer: answer(),
    missing: { peer: peer.name, reason }
  })
  const command = peer.command()
  if ('reason' in command) return lacks(command.reason)
  const [program, ...args] = command.run
  // A group of its own, so that its workers end with it.
  const child = spawn(program, [...args, problems], { stdio: ['ignore', 'pipe', 'pipe'], detached: true })
  let late = false
  let done = false
  let errors = ''
  const end = (): void => {
    if (child.pid === undefined || child.exitCode !== null) return
    try {
      process.kill(-child.pid, 'SIGKILL')
    } catch {
      child.kill('SIGKILL')
    }
  }
  const timer = setTimeout(() => {
    late = true
    end()
  }, seconds * 1000)
  process.once('exit', end)
  child.stderr.setEncoding('utf8').on('data', (text: string) => (errors = (errors + text).slice(-4000)))
  const closed = new Promise<string | null>(resolve => {
    child.once('error', error => resolve(error.message))
    child.once('close', (code, signal) => resolve(code === 0 ? null : `exit code ${code ?? signal}`))
  })
  let nonsense: string | undefined
  for await (const text of createInterface({ input: child.stdout })) {
    let line: Line
    try {
      line = JSON.parse(text) as Line
    } catch {
      nonsense ??= text.slice(0, 100)
      continue
    }
    if (line.versions) versions = line.versions
    if (line.figure) figures.push(line.figure)
    if (line.note !== undefined) notes.push(line.note)
    if (line.done) done = true
  }
  const failed = await closed
  clearTimeout(timer)
  process.off('exit', end)
  if (done) return { answer: answer(), missing: null }
  const kept = figures.length > 0 ? `; its ${figures.length} figures until then are kept` : ''
  if (late) return lacks(`It did not end within ${seconds} s${kept}.`)
  const told = errors.trim().split('\n')
  const last = told.findLast(line => line.includes('Error')) ?? (told.at(-1) || nonsense || 'it said nothing')
  return lacks(`Its script failed (${failed ?? 'it ended early'}: ${last.slice(0, 200)})${kept}.`)
}
