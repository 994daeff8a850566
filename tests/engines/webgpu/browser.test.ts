// The engine's core in a browser page, where there is no Node: what a search finds there, and what the engine in Node finds.
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'
import type { Page } from 'playwright-core'
import { afterAll, beforeAll, expect, it } from 'vitest'
import type { PlainRequest } from '../../../src/engines/process/protocol.js'
import type { Engine, RunBlock } from '../../../src/engines/types.js'
import { webgpuEntry } from '../../../src/engines/webgpu/index.js'
import { readSources } from '../../../src/engines/webgpu/host/open.js'
import { startPoint, parameterCount } from '../../../src/models/model.js'
import type { Problem } from '../../../src/models/types.js'
import { resolveConfig } from '../../../src/study/config.js'
import { requestOf } from '../../../src/study/run.js'
import { setUp } from '../../../src/study/setup.js'
import { openBrowser } from '../../helpers/browser.js'
import { makeProblem } from '../../helpers/problems.js'
import { methods, randomStarts, rule } from '../../helpers/runs.js'
import { useSwiftshader } from '../../helpers/swiftshader.js'
import type { PageJob, search } from './page.js'

/** A secure context, without which pages have no WebGPU. */
const address = 'http://localhost/'
const driver = useSwiftshader()
let open: Awaited<ReturnType<typeof openBrowser>> | undefined
let page: Page
let engine: Engine

beforeAll(async () => {
  if (driver === undefined) return
  const bundle = await build({
    entryPoints: [fileURLToPath(new URL('page.ts', import.meta.url))],
    bundle: true,
    write: false,
    platform: 'browser',
    format: 'iife',
    globalName: 'manystart'
  })
  engine = await webgpuEntry.load({ precision: 'f32', device: driver })
  open = await openBrowser(['--enable-unsafe-webgpu', '--use-webgpu-adapter=swiftshader'])
  page = await open.browser.newPage()
  await page.route('**', route =>
    route.fulfill({ contentType: 'text/html', body: '<!doctype html><title>GPU</title>' })
  )
  await page.goto(address)
  await page.addScriptTag({ content: bundle.outputFiles[0].text })
})
afterAll(async () => {
  await open?.close()
  engine?.dispose()
})

const searchInPage = (job: PageJob): ReturnType<typeof search> =>
  page.evaluate(async given => {
    const core = (globalThis as unknown as { readonly manystart: { readonly search: typeof search } }).manystart
    return core.search(given)
  }, job)

/** Blocks as one, in the order of their starts, θ [R, P] as bits. */
function inOrder(blocks: readonly RunBlock[], P: number): object[] {
  return blocks
    .flatMap(block =>
      Array.from({ length: block.count }, (_, i) => ({
        start: block.start[i],
        status: block.status[i],
        steps: block.steps[i],
        loss: block.loss[i],
        gradientNorm: block.gradientNorm[i],
        theta: Array.from(block.theta.subarray(i * P, (i + 1) * P))
      }))
    )
    .sort((a, b) => a.start - b.start)
}

async function expectSameRuns(problem: Problem, request: PlainRequest): Promise<void> {
  const P = parameterCount(problem.model)
  const objective = await engine.prepare(problem)
  const blocks: RunBlock[] = []
  for await (const block of objective.minimise(request)) blocks.push(block)
  objective.dispose()
  const found = await searchInPage({ sources: readSources(), problem, request })
  expect(found.adapter).toContain('swiftshader')
  const there = inOrder(found.blocks, P)
  expect(there).toHaveLength(request.starts.count)
  // The same kernels through the same driver: the same bits.
  expect(there).toEqual(inOrder(blocks, P))
}

it("runs a study's search to the end points that the engine in Node finds", async context => {
  context.skip(driver === undefined, 'no software GPU for this system')
  const config = resolveConfig(
    {
      data: { builtin: 'iris2' },
      model: { hidden: [2], ridge: 0.001 },
      starts: { count: 70, init: { normal: 2 } },
      engine: 'webgpu',
      device: driver
    },
    'the study'
  )
  const setup = await setUp(config)
  try {
    const { problem, model } = setup
    const request = requestOf(setup, { first: 0, count: 70 })
    const { starts } = request
    if (starts.kind !== 'random') throw new Error('the starts are random')
    // Hosts draw the starts of conditioned problems (engines/webgpu/index.ts).
    const theta = Float64Array.from(
      Array.from({ length: starts.count }, (_, i) => [
        ...startPoint(model, starts.init, starts.seed, i, starts.map)
      ]).flat()
    )
    await expectSameRuns(problem, { ...request, starts: { kind: 'given', theta, count: starts.count } })
  } finally {
    setup.dispose()
  }
})

it('draws starts and mini-batches as the engine in Node does', async context => {
  context.skip(driver === undefined, 'no software GPU for this system')
  const problem = makeProblem({ loss: 'softmax', hidden: [3], inputs: 2, outputs: 3, rows: 19 })
  const method = methods.find(({ label }) => label === 'adam, mini-batches')!
  await expectSameRuns(problem, {
    ...rule(method, problem, 'f32'),
    starts: randomStarts(70),
    stop: { steps: 25, gradient: 1e-4 }
  })
})
