/** A fitted model as plain data, from which every other form is written. */
import type { Activation } from '../../models/activations.js'
import type { Loss } from '../../models/losses/index.js'
import { layers } from '../../models/network/network.js'
import type { Term } from '../../data/types.js'
import type { FittedModel } from '../fitted.js'
import type { Network } from '../../models/types.js'

export interface ModelData {
  readonly format: 'manystart/model'
  readonly version: 1
  readonly name: string
  readonly point: string
  readonly target: string
  /** Further targets, each an output of its own, with the labels of 0 and 1 where it has them. */
  readonly others?: readonly { readonly target: string; readonly classes?: readonly string[] }[]
  readonly loss: Loss
  /** Labels of 0 and 1, or of all classes. */
  readonly classes?: readonly string[]
  /** The inputs are these columns in this order; labels become a 0/1 column for each level but the first. */
  readonly terms: readonly Term[]
  /** Subtracted from and dividing the inputs before the first layer; means of the columns keep digits beside large ones. */
  readonly scaling?: { readonly mean: readonly number[]; readonly sd: readonly number[] }
  readonly offset?: string
  /** Column whose logarithm is added. */
  readonly exposure?: string
  readonly activation: Activation
  /** By layer and unit: the bias, then the weights of the inputs or units below. */
  readonly layers: readonly (readonly (readonly number[])[])[]
}

/** A list by columns of the design with a filler for levels that have none. */
function whole(list: readonly number[], terms: readonly Term[], filler: number): number[] {
  let next = 0
  return terms.flatMap(term =>
    term.kind === 'number'
      ? [list[next++]]
      : term.levels.slice(1).map(level => (term.without?.includes(level) ? filler : list[next++]))
  )
}

export function modelData(model: FittedModel, network: Network): ModelData {
  const { preprocessing, theta, scaling } = model
  const { target, terms, offset, exposure } = preprocessing
  return {
    format: 'manystart/model',
    version: 1,
    name: model.name,
    point: model.point,
    target: target.column,
    ...(target.others
      ? {
          others: target.others.map(other => ({
            target: other.column,
            ...(other.classes ? { classes: other.classes } : {})
          }))
        }
      : {}),
    loss: network.loss,
    ...(target.classes ? { classes: target.classes } : {}),
    terms: terms.map(term =>
      term.kind === 'number' ? term : { kind: term.kind, column: term.column, levels: term.levels }
    ),
    ...(scaling ? { scaling: { mean: whole(scaling.mean, terms, 0), sd: whole(scaling.sd, terms, 1) } } : {}),
    ...(offset === undefined ? {} : { offset }),
    ...(exposure === undefined ? {} : { exposure }),
    activation: network.activation,
    layers: layers(network).map(({ at, units, stride }, l) =>
      Array.from({ length: units }, (_, k) => {
        const slice = Array.from(theta.subarray(at + k * stride, at + (k + 1) * stride))
        const [bias, ...weights] = network.bias ? slice : [0, ...slice]
        return [bias, ...(l === 0 ? whole(weights, terms, 0) : weights)]
      })
    )
  }
}
