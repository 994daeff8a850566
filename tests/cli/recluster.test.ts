// A study's directory, used again: its end points under other tolerances, its study.json as a study.
import { readFileSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import type { Summary } from '../../src/core/result.js'
import { readRuns } from '../../src/runs/points.js'
import { freshOut, json, manystartHere as manystart } from './helpers.js'

const summaryIn = (out: string): Summary => JSON.parse(readFileSync(join(out, 'summary.json'), 'utf8')) as Summary

/** How many runs point at each distinct point of a verdict, by the runs themselves. */
async function counted(out: string, code: number): Promise<Map<number, number>> {
  const counts = new Map<number, number>()
  for await (const { rows, point } of readRuns(out))
    for (let i = 0; i < rows.count; i++)
      if (rows.ends.verdict[rows.end[i]] === code) counts.set(point[i], (counts.get(point[i]) ?? 0) + 1)
  return counts
}

describe('a saved study', () => {
  const net = ['--data', 'iris2', '--standardize', '--hidden', 3, '--ridge', 0.001, '--penalize-bias']
  const flags = [...net, '--init', 'normal:2', '--starts', 300, '--quiet']

  it('is told apart more coarsely and again finely without a new run, its files in agreement', async () => {
    const out = freshOut()
    expect((await manystart(['study', ...flags, '--out', out])).code).toBe(0)
    const fine = summaryIn(out)
    expect(fine.minima.length).toBeGreaterThan(2)

    const coarser = await manystart(['report', out, '--loss-tolerance', 1e-3, '--parameter-tolerance', 0.9])
    expect(coarser.code, coarser.stderr).toBe(0)
    const coarse = summaryIn(out)
    expect(coarse.minima.length).toBeLessThan(fine.minima.length)
    expect(coarser.stdout).toContain(`minima (${coarse.minima.length})`)
    expect(coarse.verdicts).toEqual(fine.verdicts)
    expect(coarse.thresholds['loss'].value).toBe(1e-3)
    const total = (s: Summary): number => s.minima.reduce((n, m) => n + m.count, 0)
    expect(total(coarse)).toBe(total(fine))
    expect(await counted(out, 0)).toEqual(new Map(coarse.minima.map(m => [m.id, m.count])))
    for (const { verdict, point } of coarse.waterfall)
      if (verdict === 'minimum') expect(coarse.minima.map(m => m.id)).toContain(point)
    expect(readdirSync(out).sort()).toEqual(['report.html', 'runs', 'study.json', 'summary.json'])

    const { loss, parameters } = fine.thresholds
    const finer = ['--loss-tolerance', loss.value, '--parameter-tolerance', parameters.value]
    expect((await manystart(['report', out, ...finer])).code).toBe(0)
    const again = summaryIn(out)
    expect(again.minima.map(m => [m.loss, m.count, m.copies])).toEqual(
      fine.minima.map(m => [m.loss, m.count, m.copies])
    )
    expect(again.coverage).toEqual(fine.coverage)
    // The runs can still be repeated.
    expect(await json<{ verdict: string }>(['replay', out, '--start', 7, '--json'])).toMatchObject({
      verdict: 'minimum'
    })
  })

  it('runs again from its study.json, with the same result', async () => {
    const [first, second] = [freshOut(), freshOut()]
    expect((await manystart(['study', ...flags, '--out', first])).code).toBe(0)
    const outcome = await manystart(['study', join(first, 'study.json'), '--quiet', '--out', second])
    expect(outcome.code, outcome.stderr).toBe(0)
    const [a, b] = [first, second].map(summaryIn)
    expect(b.minima.map(m => [m.loss, m.count, m.parameters])).toEqual(
      a.minima.map(m => [m.loss, m.count, m.parameters])
    )
    const [one, other] = [first, second].map(
      out => JSON.parse(readFileSync(join(out, 'study.json'), 'utf8')) as { engine: { why: string } }
    )
    // The record names the precision, which decides for the processor at once.
    expect(other.engine.why).toMatch(/^cpu is the first .*webgpu does not compute in f64\./)
    expect({ ...other, engine: { ...other.engine, why: one.engine.why } }).toEqual(one)
  })
})
