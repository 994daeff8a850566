// Which engine is taken, and why: made-up engines for what this machine may not have, and the real ones.
import { describe, expect, it } from 'vitest'
import { InputError } from '../../src/core/errors.js'
import { chooseEngine, engines } from '../../src/engines/registry.js'
import type { Engine, EngineEntry, EngineName, EngineOptions, Precision, Support } from '../../src/engines/types.js'
import { limitsOf } from '../../src/engines/limits.js'
import { resolveConfig } from '../../src/study/config.js'
import { runInMemory } from '../../src/study/session.js'
import { setUp } from '../../src/study/setup.js'
import { candidates } from '../helpers/engines.js'
import { makeProblem } from '../helpers/problems.js'

interface Made extends EngineEntry {
  readonly asked: (boolean | undefined)[]
}

/** @param unable why it takes no inputs of single runs */
function made(name: EngineName, precisions: readonly Precision[], support: Support, unable?: string): Made {
  const asked: (boolean | undefined)[] = []
  return {
    name,
    precisions,
    asked,
    available(hardware) {
      asked.push(hardware)
      return Promise.resolve(support)
    },
    supports: (_, { inputs }) => Promise.resolve(unable && inputs ? { ok: false, reason: unable } : { ok: true }),
    load: ({ precision }: EngineOptions) => Promise.resolve({ name, precision } as Engine)
  }
}
const ready: Support = { ok: true, detail: 'a device' }
const onCpu: Support = { ok: true, detail: 'A rasteriser', software: true }
const absent: Support = { ok: false, reason: 'There is none.' }
const entries = (webgpu: Support, tensorflow: Support, cpu: Support): readonly Made[] => [
  made('webgpu', ['f32'], webgpu),
  made('tensorflow', ['f32'], tensorflow),
  made('cpu', ['f64', 'f32'], cpu),
  made('reference', ['f64'], ready)
]
const taken = async (
  list: readonly EngineEntry[],
  precision?: Precision,
  name: 'auto' | 'certify' = 'auto'
): Promise<string> => {
  const { engine, why } = await chooseEngine(name, precision === undefined ? {} : { precision }, list)
  return `${engine.name} ${engine.precision}: ${why}`
}

describe('auto', () => {
  it('takes a GPU that is one, in the precision that it has', async () => {
    const certified = '; it searches in f32, and end points are certified in f64 on the processor'
    expect(await taken(entries(ready, ready, ready))).toBe(`webgpu f32: webgpu comes first${certified}`)
    expect(await taken(entries(absent, ready, ready))).toBe(
      `tensorflow f32: tensorflow is the first that can run here (There is none)${certified}`
    )
  })
  it('takes no GPU that computes on the processor, and says so', async () => {
    expect(await taken(entries(onCpu, absent, ready))).toBe(
      'cpu f64: cpu is the first that can run here (webgpu: A rasteriser computes on the processor. There is none)'
    )
  })
  it('keeps to the processor for f64, and asks no GPU', async () => {
    const list = entries(ready, ready, absent)
    expect(await taken(list, 'f64')).toBe(
      'reference f64: reference is the first that can run here (webgpu does not compute in f64. tensorflow does not compute in f64. There is none)'
    )
    expect(list[0].asked).toEqual([])
    expect(await taken(entries(absent, onCpu, ready), 'f32')).toMatch(/^cpu f32/)
  })
  it('asks GPU engines for hardware only', async () => {
    const list = entries(absent, absent, ready)
    await taken(list)
    expect(list.map(e => e.asked)).toEqual([[true], [true], [false], []])
  })
  it('has no device', async () => {
    await expect(chooseEngine('auto', { device: 'x' })).rejects.toThrow(/^Device "x" belongs to an engine; name it/)
  })
})

describe('a job', () => {
  const list = [made('webgpu', ['f32'], ready, 'webgpu takes none.'), made('cpu', ['f64'], ready)]
  const problem = makeProblem({ loss: 'squared' })
  it('goes to the first engine that can do it, which says why the others cannot', async () => {
    const { why } = await chooseEngine('auto', { job: { problem, needs: { inputs: true } } }, list)
    expect(why).toBe('cpu is the first that can run here (webgpu takes none)')
    expect((await chooseEngine('auto', { job: { problem, needs: {} } }, list)).engine.name).toBe('webgpu')
  })
  it('is refused with the reason where the engine is named', async () => {
    const chosen = chooseEngine('webgpu', { job: { problem, needs: { inputs: true } } }, list)
    await expect(chosen).rejects.toThrow('webgpu takes none.')
  })
  it('of several outputs goes to every engine', async () => {
    const several = makeProblem({ loss: 'squared', outputs: 2 })
    for (const entry of engines) {
      const support = await entry.supports(several, { H: true })
      expect(support.ok, entry.name).toBe(true)
    }
  })
})

describe('a study on a machine with a GPU', () => {
  const refusals: Readonly<Record<string, [object, RegExp]>> = {
    'Firth’s penalty': [{ data: { builtin: 'iris2' }, model: { firth: true } }, /Firth/]
  }
  it.each(Object.entries(refusals))('goes to cpu with %s, and says so once', async (_, [raw, reason]) => {
    // A GPU that can run, and says what the real one says.
    const webgpu = engines.find(e => e.name === 'webgpu')!
    const gpu: EngineEntry = {
      ...webgpu,
      available: () => Promise.resolve(ready),
      load: () => Promise.reject(new Error('taken'))
    }
    const among = [gpu, ...engines.filter(e => e.name === 'cpu')]
    const config = resolveConfig({ ...raw, starts: { count: 3 } }, 'the test')
    const setup = await setUp(config, { threads: 1, among })
    expect(setup.engine.name).toBe('cpu')
    const { notes } = await runInMemory(setup)
    setup.dispose()
    const said = notes.filter(note => reason.test(note))
    expect(said).toHaveLength(1)
    expect(said[0]).toMatch(/, so cpu does the work\.$/)
    await expect(setUp({ ...config, engine: 'webgpu', precision: 'f32' }, { among })).rejects.toThrow(reason)
    // Without any of it the GPU is taken.
    const plain = resolveConfig({ data: { builtin: 'iris2' } }, 'the test')
    await expect(setUp(plain, { among })).rejects.toThrow('taken')
  })
  it('is told by `engines` what each cannot do', async () => {
    for (const entry of engines) {
      const limits = await limitsOf(entry)
      expect(limits).toHaveLength({ webgpu: 1, tensorflow: 2, cpu: 0, reference: 0 }[entry.name])
      for (const limit of limits) expect(limit).toMatch(/^The \w+ engine [^.]*; use --engine cpu\.$/)
    }
  })
})

it('certifying stays on the processor', async () => {
  expect(await taken(entries(ready, ready, ready), 'f64', 'certify')).toMatch(/^cpu f64/)
})

describe('the real engines', () => {
  it.runIf(candidates.some(c => c.label.includes('SwiftShader')))('auto passes over SwiftShader', async () => {
    const { engine, why } = await chooseEngine('auto', {})
    engine.dispose()
    expect(engine.name === 'webgpu' ? engine.device : why).toMatch(
      engine.name === 'webgpu' ? /^(?!.*SwiftShader)/ : /webgpu: .*SwiftShader.* computes on the processor/
    )
  })
  it.runIf(candidates.some(c => c.name === 'webgpu'))(
    'webgpu names its devices when there is none of a name',
    async () => {
      await expect(chooseEngine('webgpu', { device: 'Voodoo 2' })).rejects.toThrow(
        /^The webgpu engine has no device "Voodoo 2" \(.*SwiftShader.*\)\.$/
      )
    }
  )
  it('webgpu refuses f64, whether there is a GPU or not', async () => {
    const refusal = chooseEngine('webgpu', { precision: 'f64' })
    await expect(refusal).rejects.toThrow('Engine webgpu does not compute in f64; choose --precision f32.')
    await expect(refusal).rejects.toBeInstanceOf(InputError)
  })
})
