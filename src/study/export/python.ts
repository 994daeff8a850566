/** A model as a Python function that needs nothing but Python. */
import { activationTable } from '../../models/activations.js'
import type { ModelData } from './model.js'
import type { Link } from '../../models/losses/index.js'
import { linkOf, whatItGives } from './words.js'

const links: Readonly<Record<Exclude<Link, 'shares'>, string>> = {
  z: 'v',
  sigmoid: '_logistic(v)',
  Φ: '0.5 * math.erfc(-v / math.sqrt(2.0))',
  extreme: '-math.expm1(-_exp(v))',
  exp: '_exp(v)'
}

const literal = (value: unknown): string => JSON.stringify(value).replace(/null/g, 'None')

/** @param model only names and numbers of it are written, as literals */
export function pythonOf(model: ModelData): string {
  const link = linkOf(model.loss)
  const levels = model.terms.map(
    t => `    (${literal(t.column)}, ${t.kind === 'category' ? JSON.stringify(t.levels) : 'None'}),`
  )
  const added = [
    ...(model.offset === undefined ? [] : [`float(data[${literal(model.offset)}][i])`]),
    ...(model.exposure === undefined ? [] : [`math.log(float(data[${literal(model.exposure)}][i]))`])
  ]
  const result =
    link === 'shares'
      ? [
          '        powers = [math.exp(v - max(z)) for v in z]',
          '        result.append([v / sum(powers) for v in powers])'
        ]
      : [`        p = [${links[link]} for v in z]`, `        result.append(${model.others ? 'p' : 'p[0]'})`]
  return `import math

# ${whatItGives(model)}
TERMS = [
${levels.join('\n')}
]
${model.scaling ? `MEAN = ${literal(model.scaling.mean)}\nSD = ${literal(model.scaling.sd)}\n` : ''}# By layer and unit: the bias, then the weights.
LAYERS = [
${model.layers.map(layer => `    [\n${layer.map(unit => `        ${literal(unit)},`).join('\n')}\n    ],`).join('\n')}
]
${model.classes ? `CLASSES = ${JSON.stringify(model.classes)}\n` : ''}

def _exp(u):
    return math.exp(u) if u < 709.78 else math.inf


def _logistic(u):
    return 1.0 / (1.0 + math.exp(-u)) if u >= 0 else math.exp(u) / (1.0 + math.exp(u))


def _activation(u):
    return ${activationTable[model.activation].code.python}


def _level(value, levels, name):
    names = [str(value), str(value).lower(), str(value).upper()]
    if isinstance(value, float) and value == int(value):
        names.insert(0, str(int(value)))
    for text in names:
        if text in levels:
            return levels.index(text)
    raise ValueError("column %s has the level %r, which the training rows do not have" % (name, value))


def predict(data):
    """A prediction for each row; data is a dict of lists by column, or a pandas DataFrame."""
    data = {name: list(data[name]) for name in ${pythonList([
      ...model.terms.map(t => t.column),
      ...(model.offset === undefined ? [] : [model.offset]),
      ...(model.exposure === undefined ? [] : [model.exposure])
    ])}}
    result = []
    for i in range(len(data[TERMS[0][0]])):
        x = []
        for name, levels in TERMS:
            if levels is None:
                x.append(float(data[name][i]))
            else:
                level = _level(data[name][i], levels, name)
                x.extend(1.0 if k == level else 0.0 for k in range(1, len(levels)))
${model.scaling ? '        x = [(v - m) / s for v, m, s in zip(x, MEAN, SD)]\n' : ''}        for layer in LAYERS[:-1]:
            x = [_activation(unit[0] + sum(w * v for w, v in zip(unit[1:], x))) for unit in layer]
        z = [unit[0] + sum(w * v for w, v in zip(unit[1:], x))${added.map(text => ` + ${text}`).join('')} for unit in LAYERS[-1]]
${result.join('\n')}
    return result
`
}

const pythonList = (names: readonly string[]): string => `[${names.map(name => JSON.stringify(name)).join(', ')}]`
