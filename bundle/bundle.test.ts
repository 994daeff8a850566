// The bundle as its users meet it: unpacked into an empty folder and started with an empty environment. It is made anew, or is the
// archive that BUNDLE names.
import { spawn } from 'node:child_process'
import {
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  realpathSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Summary } from '../src/core/result.js'
import { swiftshaderFolder } from '../tests/helpers/swiftshader.js'
import { expectClose, tolerance } from '../tests/helpers/tolerance.js'

const here = import.meta.dirname
const folder = mkdtempSync(join(tmpdir(), 'manystart-test-bundle-'))
const archive = process.env['BUNDLE'] ?? join(folder, 'bundle.tar.xz')
// A blank in the path shows what is not quoted.
const unpacked = join(folder, 'an empty folder')
const bundle = join(unpacked, 'manystart-linux-x64')
const manystart = join(bundle, 'manystart')

interface Ended {
  readonly status: number | null
  readonly stdout: string
  readonly stderr: string
}

/** Runs a program in a folder of its own with nothing but the given environment; the test runner must get its answers meanwhile. */
function run(program: string, args: readonly string[], { env = {}, cwd = folder } = {}): Promise<Ended> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { env, cwd, stdio: ['ignore', 'pipe', 'pipe'] })
    let [stdout, stderr] = ['', '']
    child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text))
    child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text))
    child.once('error', reject)
    child.once('close', status => resolve({ status, stdout, stderr }))
  })
}

const software = { VK_DRIVER_FILES: join(swiftshaderFolder(), 'vk_swiftshader_icd.json') }

beforeAll(async () => {
  const done = async (program: string, args: readonly string[]): Promise<string> => {
    const { status, stdout, stderr } = await run(program, args, { env: process.env })
    expect(status, stderr).toBe(0)
    return stdout
  }
  if (process.env['BUNDLE'] === undefined)
    process.stdout.write(await done(process.execPath, [join(here, 'make.mjs'), archive]))
  mkdirSync(unpacked)
  await done('tar', ['--extract', '--file', archive, '--directory', unpacked])
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

describe('the archive', () => {
  const files = (): string[] => readdirSync(bundle, { recursive: true, encoding: 'utf8' })

  it('is smaller than 60 MiB', () => expect(statSync(archive).size).toBeLessThan(60 * 2 ** 20))

  it('holds the parts for this system and their licences, and nothing that only developing needs', () => {
    const all = files()
    for (const part of [
      'bin/node',
      'lib/libvulkan.so.1',
      'app/kernels/cpu/build/manystart.node',
      'app/kernels/webgpu/gradient_group.wgsl',
      'app/kernels/vulkan/build/libmanystart_one_gpu.so',
      'app/kernels/vulkan/build/one_gpu.json',
      'app/node_modules/webgpu/dist/linux-x64/dawn.node',
      'licenses/manystart.txt',
      'licenses/node.txt',
      'licenses/dawn.txt'
    ])
      expect(all).toContain(part)
    expect(readFileSync(join(bundle, 'licenses/vulkan-loader.txt'), 'utf8')).toMatch(/Vulkan loader[^]*Apache License/)
    expect(all.filter(file => file.endsWith('.node'))).toHaveLength(2)
    expect(
      all.filter(file => /node_modules\/(typescript|vitest|eslint|@sparticuz)\/|\.map$|\.d\.ts$/.test(file))
    ).toEqual([])
  })

  it('links to nothing outside', () => {
    const root = realpathSync(bundle)
    for (const file of files().map(name => join(bundle, name)))
      if (lstatSync(file).isSymbolicLink()) expect(realpathSync(file).startsWith(root)).toBe(true)
  })

  it('has packages with a licence each', () => {
    const packages = files().filter(file => /(^|\/)node_modules\/(@[^/]+\/)?[^/]+\/package\.json$/.test(file))
    expect(packages.length).toBeGreaterThan(10)
    for (const file of packages)
      expect(JSON.parse(readFileSync(join(bundle, file), 'utf8')), file).toHaveProperty('license')
  })
})

describe('the launcher', () => {
  const version = (ended: Ended): void => {
    expect(ended.stderr).toBe('')
    expect(ended.status).toBe(0)
    expect(ended.stdout).toMatch(/^\d+\.\d+\.\d+\n$/)
  }

  it('starts from any folder, by any path, without a PATH', async () => {
    version(await run(manystart, ['--version'], { cwd: '/' }))
    version(await run('./manystart', ['--version'], { cwd: bundle }))
    version(await run('../manystart', ['--version'], { cwd: join(bundle, 'app') }))
    version(await run('/bin/sh', ['manystart', '--version'], { cwd: bundle }))
    version(await run('/bin/sh', ['-c', 'manystart --version'], { cwd: '/', env: { PATH: bundle } }))
  })

  it('starts through links', async () => {
    const [absolute, relative] = [join(folder, 'absolute'), join(folder, 'relative')]
    symlinkSync(manystart, absolute)
    symlinkSync('absolute', relative)
    version(await run(absolute, ['--version'], { cwd: '/' }))
    version(await run('./relative', ['--version']))
  })

  it('passes arguments and exit codes on', async () => {
    const wrong = await run(manystart, ['study', '--data', 'no such file.csv', '--target', 'y', '--out', 'wrong'])
    expect(wrong.status).toBe(2)
    expect(wrong.stderr).toContain('no such file.csv')
  })
})

describe('the driver', () => {
  /** What setup.sh makes of the environment on a system whose root is `root`. */
  function setUp(root: string, env: Record<string, string> = {}): Promise<Ended> {
    const text = readFileSync(join(here, 'setup.sh'), 'utf8').replaceAll(/(?<=[\s"])\/(usr|etc)\//g, `${root}/$1/`)
    const script = join(folder, 'setup.sh')
    writeFileSync(script, text)
    const print = 'echo "$VK_DRIVER_FILES|$LD_LIBRARY_PATH"'
    return run('/bin/sh', ['-c', `here=${JSON.stringify(bundle)}; . ${script}; tell_driver; ${print}`], { env })
  }
  const systemWith = (name: string, ...files: string[]): string => {
    const root = join(folder, name)
    for (const file of files) {
      mkdirSync(dirname(join(root, file)), { recursive: true })
      writeFileSync(join(root, file), '{}')
    }
    return root
  }

  it.each([
    'usr/local/nvidia/share/vulkan/icd.d/nvidia_icd.json',
    'usr/share/vulkan/icd.d/nvidia_icd.json',
    'usr/share/vulkan/icd.d/nvidia_icd.x86_64.json',
    'etc/vulkan/icd.d/nvidia_icd.json'
  ])('of NVIDIA is found in %s', async file => {
    const root = systemWith(file.replaceAll('/', '-'), file, 'usr/share/vulkan/icd.d/lvp_icd.x86_64.json')
    expect(await setUp(root)).toEqual({ status: 0, stdout: `${root}/${file}|${bundle}/lib\n`, stderr: '' })
  })

  it('that the user has named stays, and so do folders of libraries', async () => {
    const root = systemWith(
      'named',
      'usr/share/vulkan/icd.d/nvidia_icd.json',
      'usr/local/nvidia/lib64/libGLX_nvidia.so.0'
    )
    const own = { VK_DRIVER_FILES: '/own/icd.json', LD_LIBRARY_PATH: '/own/lib' }
    const folders = `/own/lib:${root}/usr/local/nvidia/lib64:${bundle}/lib`
    expect(await setUp(root, own)).toEqual({ status: 0, stdout: `/own/icd.json|${folders}\n`, stderr: '' })
    expect((await setUp(root, { VK_ADD_DRIVER_FILES: '/own/icd.json' })).stdout).toMatch(/^\|/)
  })

  it('that is missing is told in one sentence', async () => {
    const root = systemWith('none', 'usr/share/vulkan/icd.d/lvp_icd.x86_64.json')
    const { stdout, stderr } = await setUp(root)
    expect(stdout).toBe(`|${bundle}/lib\n`)
    expect(stderr).toMatch(/^No nvidia_icd\.json was found [^.]+ nvidia_icd\.json\.\n$/)
  })
})

describe('the program', () => {
  const study = [
    'study',
    '--data',
    'iris2',
    '--standardize',
    '--hidden',
    '2',
    '--ridge',
    '0.01',
    '--starts',
    '40',
    '--quiet'
  ]
  const summaryOf = (name: string): Summary =>
    JSON.parse(readFileSync(join(folder, name, 'summary.json'), 'utf8')) as Summary

  it('lists the engines', async () => {
    const { status, stdout, stderr } = await run(manystart, ['engines', '--json'], { env: software })
    expect(stderr).toBe('')
    expect(status).toBe(0)
    const list = JSON.parse(stdout) as { name: string; ok: boolean; reason?: string }[]
    expect(list.filter(e => e.ok).map(e => e.name)).toEqual(['webgpu', 'cpu', 'reference'])
    expect(list.find(e => e.name === 'tensorflow')?.reason).toMatch(/not installed/)
  })

  it('finds the same minima on the processor and on a GPU, and writes reports', async () => {
    expect(await run(manystart, [...study, '--engine', 'cpu', '--out', 'on cpu'])).toMatchObject({
      status: 0,
      stderr: ''
    })
    const gpu = ['--engine', 'webgpu', '--precision', 'f32', '--out', 'on a GPU']
    expect(await run(manystart, [...study, ...gpu], { env: software })).toMatchObject({ status: 0, stderr: '' })
    const [cpu, webgpu] = [summaryOf('on cpu'), summaryOf('on a GPU')]
    expect(webgpu.engine).toMatchObject({ name: 'webgpu', precision: 'f32' })
    expect(cpu.engine).toMatchObject({ name: 'cpu', precision: 'f64' })
    expect(cpu.minima.length).toBeGreaterThan(0)
    expect(webgpu.minima.length).toBe(cpu.minima.length)
    // Both are certified in f64, and to first order a minimum's loss does not depend on where near it a run ended.
    const bound = tolerance('f64', 200, 1)
    cpu.minima.forEach((m, i) => expectClose(webgpu.minima[i].loss, m.loss, bound, `loss of minimum ${i}`))
    expect(readFileSync(join(folder, 'on a GPU/report.html'), 'utf8')).toContain('</html>')
  })

  it('reports on a GPU, and says what is missing', async () => {
    const gpuReport = join(bundle, 'gpu-report')
    const { status, stdout, stderr } = await run(gpuReport, ['--small', '--out', 'a report', 'studies', 'jax'], {
      env: software
    })
    expect(stderr).toBe('')
    expect(status).toBe(0)
    expect(stdout).toMatch(/^Manystart on .*SwiftShader.* study /m)
    expect(stdout).toMatch(/^Manystart +search .* newton in f32 /m)
    expect(stdout).toMatch(/^JAX is missing: python3 with JAX did not do it \(.+\)\.$/m)
    const report = JSON.parse(readFileSync(join(folder, 'a report/gpu-report.json'), 'utf8')) as {
      studies: { perSecond: number }[]
      searches: { figures: { perSecond: number; converged: number }[] }
    }
    for (const figure of [...report.studies, ...report.searches.figures]) expect(figure.perSecond).toBeGreaterThan(0)
    for (const figure of report.searches.figures) expect(figure.converged).toBeGreaterThan(0)
    const wrong = await run(gpuReport, ['everything'])
    expect(wrong).toMatchObject({ status: 2 })
    expect(wrong.stderr).toContain('There is no part "everything"; there are: kernels, studies, jax.')
  })

  it('benchmarks kernels', async () => {
    const bench = ['bench', 'kernels', '--sizes', 'small', '--kernel', 'gradient', '--engine', 'webgpu,cpu', '--json']
    const { status, stdout } = await run(manystart, bench, { env: software })
    expect(status).toBe(0)
    const { machine, records } = JSON.parse(stdout) as {
      machine: { commit: string | null }
      records: { engine: string }[]
    }
    expect(new Set(records.map(r => r.engine))).toEqual(new Set(['webgpu', 'cpu']))
    expect(machine.commit).toBe(
      (JSON.parse(readFileSync(join(bundle, 'app/bundle.json'), 'utf8')) as typeof machine).commit
    )
  })
})
