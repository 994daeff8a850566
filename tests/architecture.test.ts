// Rules on the source tree that no compiler checks: who may import whom, no cycles, arithmetic kernels free of Node-API,
// nothing in tracked files that belongs to one machine, and files that fit a reader's head.
import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync, readdirSync, statSync } from 'node:fs'
import { isBuiltin } from 'node:module'
import { dirname, extname, join, relative, resolve, sep } from 'node:path'
import { fileURLToPath } from 'node:url'
import ts from 'typescript'
import { describe, expect, it } from 'vitest'
import { activations } from '../src/models/activations.js'
import { losses } from '../src/models/losses/index.js'

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const posix = (path: string) => path.split(sep).join('/')

/** Files below a folder, relative to the root. */
function walk(folder: string): string[] {
  const path = join(root, folder)
  if (!existsSync(path)) return []
  return readdirSync(path, { withFileTypes: true }).flatMap(entry => {
    const inside = posix(join(folder, entry.name))
    return entry.isDirectory() ? walk(inside) : [inside]
  })
}

/** What a TypeScript file imports (statically, dynamically or for types), as it says. */
const imported = (file: string): string[] =>
  ts.preProcessFile(readFileSync(join(root, file), 'utf8'), true, true).importedFiles.map(({ fileName }) => fileName)

/** Project files that a TypeScript file imports, relative to the root. */
function imports(file: string): string[] {
  return imported(file)
    .filter(name => name.startsWith('.'))
    .map(name => posix(relative(root, resolve(root, dirname(file), name))).replace(/\.js$/, '.ts'))
}

const sources = walk('src').filter(file => file.endsWith('.ts'))

/** For each part of src/, the parts and files that it may import besides itself. A part is the longest prefix that is a key. */
const allowed: Readonly<Record<string, readonly string[] | 'all'>> = {
  'src/core/': [],
  'src/language/': ['src/core/'],
  'src/models/': ['src/core/', 'src/language/formula/'],
  // A loaded table becomes a Problem, which is plain data.
  'src/data/': [
    'src/core/',
    'src/models/types.ts',
    'src/models/losses/',
    'src/models/model.ts',
    'src/models/network/',
    'src/models/expression/'
  ],
  // Parts know nothing of models or engines.
  'src/runs/': ['src/core/'],
  'src/engines/': ['src/models/', 'src/core/', 'src/language/', 'src/runs/table.ts'],
  'src/optimizers/': ['src/engines/types.ts', 'src/language/', 'src/core/'],
  'src/analysis/': ['src/engines/types.ts', 'src/language/', 'src/models/', 'src/core/', 'src/runs/table.ts'],
  'src/report/': ['src/core/'],
  'src/study/': [
    'src/core/',
    'src/language/',
    'src/models/',
    'src/data/',
    'src/engines/',
    'src/optimizers/',
    'src/runs/',
    'src/analysis/'
  ],
  // Charts of measurements are drawn as those of reports are.
  'src/bench/': [
    'src/core/',
    'src/language/',
    'src/models/',
    'src/data/',
    'src/engines/',
    'src/optimizers/',
    'src/runs/',
    'src/analysis/',
    'src/study/',
    'src/report/'
  ],
  'src/cli/': 'all',
  'src/index.ts': 'all'
}
const partOf = (file: string) => Object.keys(allowed).find(part => file.startsWith(part))

/** The engine that a file implements, or undefined. */
const engineOf = (file: string) => /^src\/engines\/([^/]+)\//.exec(file)?.[1]

describe('imports', () => {
  it('has sources to look at', () => expect(sources.length).toBeGreaterThan(10))

  it('follow the order of the layers', () => {
    const wrong: string[] = []
    for (const file of sources) {
      const part = partOf(file)
      if (part === undefined) {
        wrong.push(`${file} belongs to no part of src/`)
        continue
      }
      const may = allowed[part]
      for (const target of imports(file)) {
        const inside = target.startsWith(part) || may === 'all' || may?.some(prefix => target.startsWith(prefix))
        if (!inside) wrong.push(`${file} imports ${target}`)
      }
    }
    expect(wrong).toEqual([])
  })

  it('leave names of losses and activations to the models, which tell facts about them', () => {
    const names = new Set<string>([...losses, ...activations])
    const wrong: string[] = []
    for (const file of sources.filter(f => /^src\/(analysis|data|study|report)\//.test(f) && !/\/tables\//.test(f))) {
      // What a program writes from the models' lists is no second list.
      if (readFileSync(join(root, file), 'utf8').startsWith('// Written by `')) continue
      const visit = (node: ts.Node): void => {
        if (ts.isStringLiteralLike(node) && names.has(node.text)) wrong.push(`${file} says '${node.text}'`)
        ts.forEachChild(node, visit)
      }
      visit(ts.createSourceFile(file, readFileSync(join(root, file), 'utf8'), ts.ScriptTarget.Latest))
    }
    expect(wrong).toEqual([])
  })

  it('ask models questions, and never compare their kinds', () => {
    const kinds = new Set(['network', 'expression'])
    const wrong: string[] = []
    for (const file of sources.filter(f => /^src\/(analysis|data|study|report|cli)\//.test(f))) {
      const visit = (node: ts.Node): void => {
        const compares =
          (ts.isBinaryExpression(node) &&
            [node.left, node.right].some(n => ts.isStringLiteral(n) && kinds.has(n.text))) ||
          (ts.isCaseClause(node) && ts.isStringLiteral(node.expression) && kinds.has(node.expression.text))
        if (compares) wrong.push(`${file}: ${node.getText()}`)
        ts.forEachChild(node, visit)
      }
      visit(ts.createSourceFile(file, readFileSync(join(root, file), 'utf8'), ts.ScriptTarget.Latest, true))
    }
    expect(wrong).toEqual([])
  })

  it('keep the engines apart from each other', () => {
    const wrong: string[] = []
    for (const file of sources) {
      const engine = engineOf(file)
      if (engine === undefined) continue
      for (const target of imports(file)) {
        const other = engineOf(target)
        // What engines that live in a child process share is no engine.
        const shared = other === 'process' || ['src/engines/types.ts', 'src/engines/inputs.ts'].includes(target)
        const siblings = target.startsWith('src/engines/') && other !== engine && !shared
        if (siblings) wrong.push(`${file} imports ${target}`)
      }
    }
    expect(wrong).toEqual([])
  })

  it('name files that exist', () => {
    const missing = sources.flatMap(file =>
      imports(file)
        .filter(target => target.endsWith('.ts') && !existsSync(join(root, target)))
        .map(target => `${file} imports ${target}`)
    )
    expect(missing).toEqual([])
  })

  it('have no cycles', () => {
    const graph = new Map(sources.map(file => [file, imports(file)]))
    const state = new Map<string, 'open' | 'done'>()
    const cycles: string[] = []
    const visit = (file: string, path: readonly string[]): void => {
      if (state.get(file) === 'done') return
      if (state.get(file) === 'open') {
        cycles.push([...path.slice(path.indexOf(file)), file].join(' → '))
        return
      }
      state.set(file, 'open')
      for (const target of graph.get(file) ?? []) visit(target, [...path, file])
      state.set(file, 'done')
    }
    for (const file of sources) visit(file, [])
    expect(cycles).toEqual([])
  })

  it('keep Node and its GPU package out of the core of the webgpu engine, which runs in browsers too', () => {
    const core = sources.filter(file => file.startsWith('src/engines/webgpu/core/'))
    expect(core.length).toBeGreaterThan(5)
    const reached = new Set(core)
    for (const file of reached) for (const target of imports(file)) reached.add(target)
    const wrong = [...reached].flatMap(file =>
      imported(file)
        .filter(name => isBuiltin(name) || name === 'webgpu')
        .map(name => `${file} imports ${name}`)
    )
    expect(wrong).toEqual([])
    expect(core.flatMap(imports).filter(target => target.startsWith('src/engines/webgpu/host/'))).toEqual([])
  })

  it('reach tests and built files from nowhere in src', () => {
    const wrong = sources.flatMap(file =>
      imports(file)
        .filter(target => !target.startsWith('src/'))
        .map(target => `${file} imports ${target}`)
    )
    expect(wrong).toEqual([])
  })
})

describe('kernels', () => {
  it('include Node-API in addon.cc and its helpers alone, so that the arithmetic builds by itself', () => {
    const files = walk('kernels').filter(file => /\.(cc|cpp|h|hpp|inc)$/.test(file) && !file.includes('/build/'))
    const wrong = files.filter(
      file =>
        !file.endsWith('/addon.cc') &&
        !/\/napi_\w+\.h$/.test(file) &&
        /#\s*include\s*[<"](napi|node_api|js_native_api|node|v8|uv)[^>"]*\.h[>"]/.test(
          readFileSync(join(root, file), 'utf8')
        )
    )
    expect(wrong).toEqual([])
  })
})

/** Files that are, or are about to be, under version control; every file when there is no repository (a source archive). */
function projectFiles(): string[] {
  if (existsSync(join(root, '.git'))) {
    const listed = execFileSync('git', ['ls-files', '-z', '--cached', '--others', '--exclude-standard'], {
      cwd: root,
      encoding: 'utf8'
    })
    return listed.split('\0').filter(file => file !== '' && existsSync(join(root, file)))
  }
  const skipped = /^(node_modules|dist|kernels\/(cpu|vulkan)\/build)\//
  return walk('.').filter(file => !skipped.test(file))
}

const textual = new Set([
  '.ts',
  '.js',
  '.mjs',
  '.json',
  '.yaml',
  '.yml',
  '.md',
  '.cc',
  '.h',
  '.html',
  '.css',
  '.csv',
  ''
])
const tracked = projectFiles().filter(file => textual.has(extname(file)) && statSync(join(root, file)).isFile())

describe('project files', () => {
  it('are found', () => expect(tracked).toContain('package.json'))

  it('name no package registry and no folder of one machine', () => {
    // Written so that this file does not match itself.
    const registry = new RegExp(
      ['registry\\.npm', 'js|registry\\.yarn', 'pkg|deb\\.deb', 'ian|:\\/\\/[\\w.-]*artifact', 'ory'].join('')
    )
    const machine = new RegExp(['(?<![\\w.-])\\/(ro', 'ot|wo', 'rk|ho', 'me\\/\\w+|Us', 'ers\\/\\w+)\\/'].join(''))
    const wrong: string[] = []
    for (const file of tracked) {
      const lines = readFileSync(join(root, file), 'utf8').split('\n')
      lines.forEach((line, index) => {
        if (registry.test(line) || machine.test(line)) wrong.push(`${file}:${index + 1}: ${line.trim().slice(0, 100)}`)
      })
    }
    expect(wrong).toEqual([])
  })

  it('stay below 500 lines of code', () => {
    const code = tracked.filter(
      file =>
        /^(src|tests|kernels|benchmarks)\//.test(file) &&
        /\.(ts|mjs|js|cc|h)$/.test(file) &&
        !file.startsWith('src/data/tables/')
    )
    const long = code
      .map(file => ({ file, lines: readFileSync(join(root, file), 'utf8').split('\n').length }))
      .filter(({ lines }) => lines > 500)
      .map(({ file, lines }) => `${file}: ${lines} lines`)
    expect(long).toEqual([])
  })
})
