// Exit codes and streams: 0 done, 1 the work failed, 2 wrong usage or input; results on stdout, all else on stderr.
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import type { Summary } from '../../src/core/result.js'
import { file } from '../helpers/files.js'
import { expectRefusal, freshOut, json, manystart } from './helpers.js'

const iris = ['--data', 'iris2', '--engine', 'reference', '--starts', 20, '--seed', 3] as const

describe('exit code 0', () => {
  it('help names every command', async () => {
    const { code, stdout } = await manystart(['--help'])
    expect(code).toBe(0)
    for (const command of ['contrast', 'study', 'check', 'replay', 'report', 'engines', 'bench'])
      expect(stdout).toMatch(new RegExp(`\\b${command}\\b`))
  })

  it('whoever reads the output may leave', async () => {
    const out = freshOut()
    const { code, stderr } = await manystart(['study', ...iris, '--quiet', '--out', out], { deaf: true })
    expect(code, stderr).toBe(0)
    expect(stderr).toBe('')
    expect(existsSync(join(out, 'report.html'))).toBe(true)
  })

  it('version is that of the package', async () => {
    const { code, stdout } = await manystart(['--version'])
    expect(code).toBe(0)
    expect(stdout.trim()).toMatch(/^\d+\.\d+\.\d+$/)
  })

  it('study --json prints the summary alone on stdout, the same as it saves', async () => {
    const out = freshOut()
    const summary = await json<Summary>(['study', ...iris, '--json', '--out', out])
    expect(summary).toEqual(JSON.parse(readFileSync(join(out, 'summary.json'), 'utf8')))
    expect(summary.format).toBe('manystart/summary')
    expect(summary.verdicts.minimum).toBe(20)
  })

  it('--quiet leaves stderr empty', async () => {
    const { code, stderr } = await manystart(['study', ...iris, '--quiet', '--out', freshOut()])
    expect(stderr).toBe('')
    expect(code).toBe(0)
  })

  it('piped output has plain lines: no escape codes, no carriage returns', async () => {
    const { code, stdout, stderr } = await manystart(['study', ...iris, '--out', freshOut()])
    expect(code, stderr).toBe(0)
    // eslint-disable-next-line no-control-regex -- these are what must not be there
    expect(stdout + stderr).not.toMatch(/[\u001b\r]/)
  })

  it('runs that break are counted as failed and shown, not dropped', async () => {
    const out = freshOut()
    // Far outside what exp can hold, and no bias to bring it back: the loss is infinite at every start.
    const offsets = file('offsets.csv', 'y,x,t\n1,0.5,44882\n2,-1,44883\n0,1.5,44884\n3,-0.25,44882\n')
    const model = ['--target', 'y', '--offset', 't', '--loss', 'poisson', '--hidden', 'none', '--no-bias']
    const flags = ['--data', offsets, ...model, '--engine', 'reference']
    const summary = await json<Summary>([
      'study',
      ...flags,
      '--starts',
      30,
      '--optimizer',
      'gd',
      '--json',
      '--out',
      out
    ])
    expect(summary.starts).toBe(30)
    const counted = Object.values(summary.verdicts).reduce((sum, count) => sum + count, 0)
    expect(counted).toBe(30)
    expect(summary.verdicts.failed).toBe(30)
    expect(summary.failure).toMatch(/offset column "t"/)
    expect(readFileSync(join(out, 'report.html'), 'utf8')).toMatch(/failed/)
  })
})

describe('exit code 1', () => {
  it('an engine that cannot run here says why and what to use', async () => {
    const out = freshOut()
    const engine = ['--engine', 'tensorflow', '--device', 'gpu']
    const outcome = await manystart(['study', '--data', 'iris2', ...engine, '--starts', 5, '--out', out])
    expectRefusal(outcome, 1, /tfjs-node-gpu.*(npm install|npm rebuild|--device cpu)/)
    expect(existsSync(out)).toBe(false)
  })
})

describe('exit code 2', () => {
  it('flags without a command', async () => {
    expectRefusal(
      await manystart(['--data', 'iris2']),
      2,
      /command is missing.*contrast --data iris2.*manystart --help/
    )
  })
})
