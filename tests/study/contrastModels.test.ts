// The models that a contrast puts side by side.
import { describe, expect, it } from 'vitest'
import { contrastModels } from '../../src/study/contrast.js'

type Raw = Readonly<Record<string, unknown>>
const iris = { data: { builtin: 'iris2' } }

describe('the models of a contrast', () => {
  it('are a convex one, the squared loss, and a network with and without ridge, on one split', async () => {
    const models = await contrastModels(iris)
    expect(models.map(m => m.key)).toEqual(['convex', 'brier', 'network-ridge', 'network'])
    expect(models.map(m => m.config['model'])).toMatchObject([
      { loss: 'logistic', hidden: [], ridge: 0 },
      { loss: 'brier', hidden: [], ridge: 0 },
      { loss: 'logistic', hidden: [3], ridge: 0.0003, penalizeBias: true },
      { loss: 'logistic', hidden: [3], ridge: 0 }
    ])
    for (const { config } of models)
      expect(config).toMatchObject({ data: { features: ['Sepal.Length', 'Petal.Width'] }, starts: { count: 999 } })
    for (const { config } of models) expect(config['data']).toEqual(models[0].config['data'])
  })

  it('leave out the squared loss where there are more than two classes', async () => {
    expect((await contrastModels({ data: { builtin: 'iris3' } })).map(m => m.key)).toEqual([
      'convex',
      'network-ridge',
      'network'
    ])
  })

  it('hold no rows out of a table that is too small for it', async () => {
    const [model] = await contrastModels({ data: { builtin: 'xor' } })
    expect(model.config['data']).toEqual({ builtin: 'xor', standardize: true })
    const test = { fraction: 0.5, seed: 2 }
    expect((await contrastModels({ data: { builtin: 'longley', test } }))[0].config['data']).toMatchObject({ test })
    expect((await contrastModels(iris))[0].config['data']).toMatchObject({ test: { fraction: 0.3 } })
  })

  it('without hidden layer take a ridge of their own, and none with the networks', async () => {
    const ridges = async (raw: object) =>
      (await contrastModels({ ...iris, ...raw })).map(m => (m.config['model'] as Raw)['ridge'])
    expect(await ridges({ model: { ridge: 0.5 } })).toEqual([0, 0, 0.5, 0])
    expect(await ridges({ contrast: { ridge: 0.25 } })).toEqual([0.25, 0.25, 0.0003, 0])
    await expect(ridges({ contrast: { ridge: -1 } })).rejects.toThrow(/contrast\.ridge.*-1.*at least 0/)
    await expect(ridges({ contrast: { rigde: 1 } })).rejects.toThrow(/rigde.*ridge/)
  })

  it('take the columns that are named, whatever can be drawn', async () => {
    const features = ['Petal.Length']
    const [model] = await contrastModels({ data: { builtin: 'iris2', features } })
    expect(model.config['data']).toMatchObject({ features })
  })

  it('do not all take the name that a study file gives', async () => {
    const names = (await contrastModels({ ...iris, name: 'mine' })).map(m => m.config['name'])
    expect(names).not.toContain('mine')
  })
})
