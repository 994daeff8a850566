/** A model as a function of base R. */
import { activationTable } from '../../models/activations.js'
import type { ModelData } from './model.js'
import type { Link } from '../../models/losses/index.js'
import { linkOf, whatItGives } from './words.js'

const links: Readonly<Record<Link, string>> = {
  z: 'drop(z)',
  sigmoid: 'drop(plogis(z))',
  Φ: 'drop(pnorm(z))',
  extreme: 'drop(-expm1(-exp(z)))',
  exp: 'drop(exp(z))',
  shares: '{ e <- exp(z - apply(z, 1, max)); p <- e / rowSums(e); colnames(p) <- classes; p }'
}

/** A string of R: that of JSON, but for what stands for characters beyond ASCII. */
const text = (value: string): string => JSON.stringify(value)
const vector = (values: readonly (number | string)[]): string =>
  `c(${values.map(value => (typeof value === 'string' ? text(value) : String(value))).join(', ')})`

export function rOf(model: ModelData): string {
  const inputs = model.terms.map(term =>
    term.kind === 'number'
      ? `as.numeric(data[[${text(term.column)}]])`
      : `levels_of(data[[${text(term.column)}]], ${vector(term.levels)}, ${text(term.column)})`
  )
  const matrices = model.layers.map(
    layer => `    matrix(${vector(layer.flat())}, nrow = ${layer.length}, byrow = TRUE)`
  )
  const added = [
    ...(model.offset === undefined ? [] : [`as.numeric(data[[${text(model.offset)}]])`]),
    ...(model.exposure === undefined ? [] : [`log(as.numeric(data[[${text(model.exposure)}]]))`])
  ]
  return `# ${whatItGives(model)}
predict_model <- function(data) {
  levels_of <- function(values, levels, name) {
    at <- match(as.character(values), levels)
    if (anyNA(at)) stop("column ", name, " has the level ", values[is.na(at)][1], ", which the training rows do not have")
    1 * outer(at, seq_along(levels)[-1], "==")
  }
  activation <- function(u) ${activationTable[model.activation].code.r}
  # By layer, a row for each unit: the bias, then the weights.
  layers <- list(
${matrices.join(',\n')}
  )
  absent <- setdiff(${vector([...model.terms.map(t => t.column), ...[model.offset, model.exposure].filter(n => n !== undefined)])}, names(data))
  if (length(absent) > 0) stop("the data have no column ", absent[1])
${model.classes ? `  classes <- ${vector(model.classes)}\n` : ''}  x <- cbind(${inputs.join(', ')})
${model.scaling ? `  x <- sweep(sweep(x, 2, ${vector(model.scaling.mean)}), 2, ${vector(model.scaling.sd)}, "/")\n` : ''}  for (layer in layers[-length(layers)]) x <- activation(cbind(1, x) %*% t(layer))
  z <- cbind(1, x) %*% t(layers[[length(layers)]])${added.map(term => ` + ${term}`).join('')}
${model.others ? `  colnames(z) <- ${vector([model.target, ...model.others.map(other => other.target)])}\n` : ''}  ${links[linkOf(model.loss)]}
}
`
}
