// `manystart bench`: what it prints, and its exit codes.
import { existsSync, readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import type { CardResults } from '../../src/bench/card/card.js'
import type { Comparison } from '../../src/bench/compare/compare.js'
import type { KernelResults } from '../../src/bench/kernels/records.js'
import { expectRefusal, file, freshOut, json, manystart, manystartHere } from './helpers.js'

const tiny = ['bench', 'kernels', '--sizes', 'small', '--engine', 'reference'] as const

describe('bench kernels', () => {
  it('--json prints the result alone, the same as --out holds', async () => {
    const out = `${freshOut()}.json`
    const results = await json<KernelResults>([...tiny, '--kernel', 'gradient,update', '--json', '--out', out])
    expect(JSON.parse(readFileSync(out, 'utf8'))).toEqual(results)
    expect(results.format).toBe('manystart/bench')
    expect(new Set(results.records.map(r => r.kernel))).toEqual(new Set(['gradient', 'update']))
  })

  it('refuses what it does not know', async () => {
    expectRefusal(await manystartHere([...tiny, '--kernel', 'gradent']), 2, /"gradent"; did you mean gradient/)
    expectRefusal(await manystartHere(['bench', 'kernels', '--engine', 'gpu']), 2, /--engine is "gpu"/)
    expectRefusal(await manystartHere([...tiny, '--device', 'cuda']), 2, /reference has no devices to choose from/)
    expectRefusal(
      await manystartHere(['bench', 'kernels', '--engine', 'reference,tensorflow', '--device', 'wsm']),
      2,
      /--device is "wsm"; did you mean wasm/
    )
    expectRefusal(await manystartHere([...tiny, '--threads', '0']), 2, /--threads is "0"/)
    expectRefusal(
      await manystartHere([...tiny, '--threads', '1', '--threads', '2']),
      2,
      /--threads is given 2 times \(1, 2\)/
    )
    expectRefusal(
      await manystartHere([...tiny, '--starts', '2']),
      2,
      /`manystart bench kernels` has no flag --starts, though `contrast` has/
    )
    expectRefusal(
      await manystartHere([...tiny, '--size', 'small']),
      2,
      /Unknown flag --size of `manystart bench kernels`; did you mean --sizes/
    )
    expectRefusal(await manystartHere([...tiny, '--out', 'no/such/file.json']), 2, /directory of --out/)
    expect(existsSync('no')).toBe(false)
  })
})

it('a file that was not written by this program is not replaced, and one that was is', async () => {
  const mine = file('mine.json', '{"format":"of mine"}')
  expectRefusal(await manystartHere([...tiny, '--out', mine]), 2, /mine.json was not written by this program/)
  expectRefusal(
    await manystartHere(['bench', '--quick', '--out', mine]),
    2,
    /mine.json was not written by this program/
  )
  const page = file('page.html', '<p>mine</p>')
  const beside = page.replace(/html$/, 'json')
  expectRefusal(await manystartHere(['bench', '--quick', '--out', beside]), 2, /page.html was not written by this/)
  expect([mine, page].map(path => readFileSync(path, 'utf8'))).toEqual(['{"format":"of mine"}', '<p>mine</p>'])
  const ours = file('ours.json', '{"format":"manystart/bench"}')
  const words = [...tiny, '--kernel', 'update', '--out']
  expect((await manystartHere([...words, ours])).code).toBe(0)
  expect(JSON.parse(readFileSync(ours, 'utf8'))).toHaveProperty('records')
  expect((await manystartHere([...words, '/dev/null'])).code).toBe(0)
})

it.each([[tiny], [['bench', '--quick', '--engine', 'reference']]])(
  '%j that is stopped replaces no record, and keeps what there is where there was none',
  async words => {
    const whole = '{"format":"manystart/bench"}'
    const stop = async (out: string): Promise<void> => {
      const outcome = await manystart([...words, '--out', out], {
        onStart: running => {
          let sent = false
          running.onStderr(() => {
            sent ||= running.kill('SIGINT')
          })
        }
      })
      expect(outcome.code, outcome.stderr).toBe(130)
    }
    const before = file('before.json', whole)
    await stop(before)
    expect(readFileSync(before, 'utf8')).toBe(whole)
    expect(existsSync(before.replace(/json$/, 'html'))).toBe(false)
    const fresh = `${freshOut()}.json`
    await stop(fresh)
    expect(JSON.parse(readFileSync(fresh, 'utf8'))).toHaveProperty('records')
  }
)

// The last before anything is measured, which would write lines of progress.
it.each(['/proc/none.json', `${'long'.repeat(70)}.json`, '.'])(
  'says before it measures that %s cannot be written',
  async out => {
    expectRefusal(
      await manystartHere([...tiny, '--out', out]),
      2,
      /cannot be (written|read).*; .*give another with --out/
    )
    if (out.endsWith('.json'))
      expectRefusal(await manystartHere(['bench', '--out', out]), 2, /cannot be (written|read).*--out/)
  }
)

describe('bench alone', () => {
  it('prints a card, writes its record and page, and says how long it takes', async () => {
    const out = `${freshOut()}.json`
    const { code, stdout, stderr } = await manystart(['bench', '--quick', '--engine', 'reference', '--out', out])
    expect(code, stderr).toBe(0)
    expect(stdout).toMatch(/certified runs\/s/)
    expect(stderr).toMatch(/^0 %, .* left; /)
    const { card, records } = JSON.parse(readFileSync(out, 'utf8')) as CardResults
    expect(card.scores[0].value).toBeGreaterThan(0)
    expect(records.map(r => r.kernel)).toContain('hessian')
    expect(readFileSync(out.replace(/json$/, 'html'), 'utf8')).toContain('certified runs/s')
    const same = await json<Comparison>(['bench', 'compare', out, out, '--json'])
    expect(same.changes.filter(c => c.ratio !== 1)).toEqual([])
    expectRefusal(await manystartHere(['bench', '--quick', '--out', 'card.txt']), 2, /--out is card\.txt/)
  })
})
