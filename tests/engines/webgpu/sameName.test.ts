// Several GPUs of one name, which Dawn cannot tell apart: two copies of the software driver, whose GPUs differ by the driver's name alone.
import { drivers, twoGpus } from '../../helpers/sameName.js'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { Child, compiledWorker } from '../../../src/engines/process/child.js'
import type { Engine } from '../../../src/engines/types.js'
import { webgpuEntry } from '../../../src/engines/webgpu/index.js'
import { layerBuilt, oneGpu } from '../../../src/engines/webgpu/host/layer.js'
import type { WebgpuQuestions } from '../../../src/engines/webgpu/host/protocol.js'
import { collect } from '../../helpers/engines.js'
import { makeProblem } from '../../helpers/problems.js'
import { methods, randomStarts, rule } from '../../helpers/runs.js'
import { expectSame } from '../../helpers/tolerance.js'

const [firstDriver, secondDriver] = drivers
const problem = makeProblem({ loss: 'logistic', hidden: [3], inputs: 2, rows: 19, ridge: 0.0625 })
const devices = async () => (await webgpuEntry.devices?.()) ?? []
const open = (device: string): Promise<Engine> => webgpuEntry.load({ precision: 'f32', device })

/** What a process sees in an environment. */
async function seen(env: Record<string, string>): Promise<{ detail: string; count: number }[]> {
  const program = compiledWorker('webgpu/host')
  const child = new Child<WebgpuQuestions>({ program, holds: 'the GPU', env })
  try {
    return (await child.ask('list', {}).answer).map(({ detail, count }) => ({ detail, count }))
  } finally {
    child.dispose()
  }
}

describe('the environment of a process that sees one GPU', () => {
  const own = /kernels.vulkan.build$/
  it('keeps what the user has set', () => {
    expect(oneGpu(3, {})).toEqual({
      VK_LAYER_PATH: expect.stringMatching(own) as string,
      VK_INSTANCE_LAYERS: 'VK_LAYER_MANYSTART_one_gpu',
      MANYSTART_VULKAN_GPU: '3'
    })
    const named = oneGpu(0, { VK_LAYER_PATH: '/own', VK_INSTANCE_LAYERS: 'VK_LAYER_a:VK_LAYER_b' })
    expect(named['VK_LAYER_PATH']).toMatch(/build:\/own$/)
    expect(named['VK_INSTANCE_LAYERS']).toBe('VK_LAYER_MANYSTART_one_gpu:VK_LAYER_a:VK_LAYER_b')
    expect(named).not.toHaveProperty('VK_ADD_LAYER_PATH')
  })
  it('leaves the usual folders of layers to who uses layers out of them', () => {
    const usual = oneGpu(0, { VK_INSTANCE_LAYERS: 'VK_LAYER_a' })
    expect(usual['VK_ADD_LAYER_PATH']).toMatch(own)
    expect(usual).not.toHaveProperty('VK_LAYER_PATH')
    expect(oneGpu(0, { VK_ADD_LAYER_PATH: '/more' })['VK_ADD_LAYER_PATH']).toMatch(/build:\/more$/)
  })
})

describe.runIf(twoGpus && layerBuilt())('two GPUs of one name', () => {
  it('have names of their own', async () => {
    const list = await devices()
    expect(list.map(d => d.name.replace(/^.* (?=#)/, ''))).toEqual(['#1', '#2'])
    const details = list.map(({ support }) => (support.ok ? support.detail : ''))
    expect(details.filter(text => text.includes(firstDriver))).toHaveLength(1)
    expect(details.filter(text => text.includes(secondDriver))).toHaveLength(1)
  })

  it('are opened each by its name, and the first by what both have in theirs', async () => {
    const list = await devices()
    const [first, second] = list.map(({ support }) =>
      support.ok && support.detail.includes(firstDriver) ? firstDriver : secondDriver
    )
    for (const [device, number, driver] of [
      [list[0].name, '#1', first],
      [list[1].name, '#2', second],
      ['swiftshader', '#1', first]
    ]) {
      const engine = await open(device)
      expect(engine.device).toContain(number)
      expect(engine.device).toContain(driver)
      engine.dispose()
    }
  })

  it('share the runs of a study, which are those of one bit by bit', async () => {
    const [one, all] = await Promise.all([open('#2'), open('all')])
    try {
      // One process holds the one and the other the other.
      for (const words of [firstDriver, secondDriver, '#1', '#2']) expect(all.device).toContain(words)
      for (const label of ['lbfgs', 'adam, mini-batches']) {
        const method = methods.find(m => m.label === label)!
        const request = {
          ...rule(method, problem, 'f32'),
          starts: randomStarts(300, 2 ** 33),
          stop: { steps: 11, gradient: 0.05 },
          blockRuns: 16
        }
        const [a, b] = [
          await collect(await one.prepare(problem), request),
          await collect(await all.prepare(problem), request)
        ]
        for (const part of ['start', 'theta', 'loss', 'gradientNorm', 'steps', 'status'] as const)
          expectSame(b[part], a[part], `${label}: ${part}`)
      }
    } finally {
      one.dispose()
      all.dispose()
    }
  })
})

describe.runIf(twoGpus && layerBuilt())('the Vulkan layer', () => {
  const single = (driver: string) => [{ detail: expect.stringContaining(driver) as string, count: 1 }]
  it('shows the GPU at a place, and none where there is none', async () => {
    const places = await Promise.all([seen(oneGpu(0)), seen(oneGpu(1))])
    expect(places).toContainEqual(single(firstDriver))
    expect(places).toContainEqual(single(secondDriver))
    await expect(seen(oneGpu(2))).rejects.toThrow(/^No GPU was found/)
  })
  it.each(['', '1.0', '99999999'])('hides nothing when the place is "%s"', async place => {
    expect(await seen({ ...oneGpu(0), MANYSTART_VULKAN_GPU: place })).toMatchObject([{ count: 2 }])
  })
})

describe.runIf(twoGpus)('without the Vulkan layer', () => {
  const path = '../../../src/engines/webgpu/host/layer.js'
  afterEach(() => {
    vi.doUnmock(path)
    vi.resetModules()
  })
  it.each([
    [
      'is not built',
      { layerBuilt: () => false, oneGpu },
      'reaching the others takes g++ and make, and then `npm run build`'
    ],
    ['does not load', { layerBuilt: () => true, oneGpu: () => ({}) }, 'the Vulkan loader does not take the layer']
  ])('that %s, there is the first, and the list says why', async (_, layer, why) => {
    vi.resetModules()
    vi.doMock(path, () => layer)
    const { chosen, look } = await import('../../../src/engines/webgpu/host/gpus.js')
    const found = await look()
    expect(found).toMatchObject({
      list: [
        { support: { ok: true, detail: expect.stringContaining(`, the first of 2 of that name: ${why}`) as string } }
      ]
    })
    expect(await chosen('all')).toHaveLength(1)
    expect(await chosen(undefined)).not.toHaveProperty('0.place')
  })
})
