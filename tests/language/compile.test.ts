// The compiler of update rules: compiled programs compute what the graph says, states are written in place where they may be,
// dead values cost nothing, and rules that make no sense are refused.
import { describe, expect, it } from 'vitest'
import { Interpreter } from '../../src/engines/reference/interpreter.js'
import { Rule } from '../../src/language/rule.js'
import { Op, Slot, instructionWidth, scalarBase, type Program } from '../../src/language/program.js'
import { optimizers, resolveOptimizer } from '../../src/optimizers/registry.js'
import { outcome, randomRule } from '../helpers/graphs.js'
import { integers } from '../helpers/problems.js'
import { expectAllClose } from '../helpers/tolerance.js'

const size = (program: Program): number => program.instructions.length / instructionWidth
const opsOf = (program: Program): number[] =>
  Array.from({ length: size(program) }, (_, i) => program.instructions[i * instructionWidth])

/** Values of x and of all reported scalars, step by step; g is `gradient` of the step. */
function trajectory(
  program: Program,
  start: number[],
  steps: number,
  gradient: (step: number) => number[] = () => start
) {
  const state = new Interpreter(
    program,
    start.length,
    Float64Array.from(start, () => 1)
  )
  state.reset(Float64Array.from(start))
  return Array.from({ length: steps }, (_, step) => {
    state.vectors[Slot.g].set(gradient(step))
    state.scalars[Slot.f] = 10 + step
    state.scalars[Slot.step] = step
    state.run()
    return {
      x: [...state.vectors[Slot.x]],
      point: [...state.vectors[program.outputs.point]],
      loss: state.scalars[program.outputs.loss],
      report: program.report.map(r => state.scalars[r.slot])
    }
  })
}

describe('compiled programs', () => {
  it('compute what 200 random graphs say, over several steps', () => {
    for (let seed = 1; seed <= 200; seed++) {
      const rule = randomRule(seed)
      const P = 7
      const theta0 = integers(P, 9, seed, 1).map(v => v - 4)
      for (const steps of [1, 2, 5]) {
        const state = new Interpreter(rule.program, P, new Float64Array(P).fill(1))
        state.reset(theta0)
        for (let step = 0; step < steps; step++) {
          state.scalars[Slot.step] = step
          state.run()
        }
        const expected = outcome(rule, theta0, steps)
        const { outputs, report } = rule.program
        const what = `rule ${seed}, ${steps} steps`
        expectAllClose(state.vectors[outputs.point], expected.point, 0, `${what}: point`)
        expectAllClose(
          [outputs.loss, outputs.gradientNorm, ...report.map(r => r.slot)].map(s => state.scalars[s]),
          [expected.loss, expected.gradientNorm, ...expected.report],
          0,
          `${what}: scalars`
        )
      }
    }
  })

  it('start again from nothing when a run enters', () => {
    const rule = randomRule(3)
    const theta0 = Float64Array.of(1, -2, 3)
    const state = new Interpreter(rule.program, 3, new Float64Array(3).fill(1))
    const run = (): number[] => {
      state.reset(theta0)
      for (let step = 0; step < 4; step++) {
        state.scalars[Slot.step] = step
        state.run()
      }
      return [...state.vectors[rule.program.outputs.point], ...rule.program.report.map(r => state.scalars[r.slot])]
    }
    expect(run()).toEqual(run())
  })

  it.each(Object.keys(optimizers))('%s refers only to slots that it has', name => {
    const { options } = resolveOptimizer(name)
    const program = optimizers[name].build(options, { eps: 2 ** -52, parameters: 3 })
    const code = program.instructions
    expect(code.length % instructionWidth).toBe(0)
    const known = new Set<number>(Object.values(Op))
    const inside = (slot: number, count: number): void => {
      expect(slot).toBeGreaterThanOrEqual(0)
      expect(slot).toBeLessThan(count)
    }
    const mixed = (slot: number): void =>
      inside(slot < 0 ? -1 - slot : slot, slot < 0 ? program.scalars : program.vectors)
    for (let at = 0; at < code.length; at += instructionWidth) {
      const [op, dst, ...operands] = code.subarray(at, at + instructionWidth)
      expect(known.has(op) || known.has(op - scalarBase), `instruction ${op}`).toBe(true)
      if (op < scalarBase) {
        inside(dst, program.vectors)
        operands.slice(0, 3).forEach(mixed)
      } else if (op < Op.dot) [dst, ...operands.slice(0, 3)].forEach(slot => inside(slot, program.scalars))
      else if (op < Op.tridiagonalize) {
        inside(dst, program.scalars)
        operands.slice(0, 2).forEach(slot => inside(slot, program.vectors))
      }
    }
    for (const { slot } of program.constants) {
      inside(slot, program.scalars)
      for (let at = 0; at < code.length; at += instructionWidth)
        if (code[at] >= scalarBase && code[at] < Op.tridiagonalize)
          expect(code[at + 1], 'a constant is written').not.toBe(slot)
    }
  })
})

describe('the compiler', () => {
  it('leaves out what nothing needs', () => {
    const lean = new Rule('lean', 'g')
    lean.next(lean.x, lean.sub(lean.x, lean.g))
    const small = lean.compile({ point: lean.x, loss: lean.f, gradientNorm: lean.maxAbs(lean.g) })
    const idle = new Rule('idle', 'g')
    idle.next(idle.x, idle.sub(idle.x, idle.g))
    idle.dot(idle.mul(idle.x, 7), idle.sqrt(idle.g))
    idle.vectorState(4)
    const same = idle.compile({ point: idle.x, loss: idle.f, gradientNorm: idle.maxAbs(idle.g) })
    expect(opsOf(same)).toEqual(opsOf(small))
    expect(same.constants).toEqual(small.constants)
  })

  it('keeps one slot for a constant however often it is written', () => {
    const r = new Rule('constants', 'g')
    r.next(r.x, r.add(r.mul(2, r.x), r.add(r.mul(2, r.g), r.constant(2))))
    const program = r.compile({ point: r.x, loss: r.f, gradientNorm: r.constant(2) })
    expect(program.constants.filter(c => c.value === 2)).toHaveLength(1)
  })

  it('writes a state in place when its old value is no longer read', () => {
    const r = new Rule('in place', 'g')
    const m = r.vectorState()
    const next = r.fma(0.5, r.g, m)
    r.next(m, next)
    r.next(r.x, r.sub(r.x, next))
    const program = r.compile({ point: r.g, loss: r.f, gradientNorm: r.maxAbs(next) })
    // fma into m, the reduction, sub into x, and one copy that saves g as the point.
    expect(opsOf(program).sort((a, b) => a - b)).toEqual(
      [Op.copy, Op.sub, Op.fma, Op.maxAbs, Op.copy + scalarBase].sort((a, b) => a - b)
    )
    expect(program.vectors).toBe(5)
  })

  it('saves the old value of a state that is a result', () => {
    const r = new Rule('old point', 'g')
    const count = r.scalarState(3)
    r.next(r.x, r.add(r.x, 1))
    r.next(count, r.mul(count, 2))
    const program = r.compile({ point: r.x, loss: count, gradientNorm: r.f, report: { count } })
    const steps = trajectory(program, [5], 3)
    expect(steps.map(s => s.x[0])).toEqual([6, 7, 8])
    expect(steps.map(s => s.point[0])).toEqual([5, 6, 7])
    expect(steps.map(s => s.loss)).toEqual([3, 6, 12])
    expect(steps.map(s => s.report[0])).toEqual([3, 6, 12])
  })

  it('lets states trade places', () => {
    const r = new Rule('swap', 'g')
    const a = r.vectorState(1)
    const b = r.vectorState(2)
    const p = r.scalarState(10)
    const q = r.scalarState(20)
    const s = r.scalarState(30)
    r.next(a, b)
    r.next(b, a)
    r.next(p, q)
    r.next(q, s)
    r.next(s, p)
    r.next(r.x, r.sub(a, b))
    const program = r.compile({ point: r.sub(a, b), loss: p, gradientNorm: r.f, report: { q, s } })
    const steps = trajectory(program, [0], 4)
    expect(steps.map(t => t.point[0])).toEqual([-1, 1, -1, 1])
    expect(steps.map(t => [t.loss, ...t.report])).toEqual([
      [10, 20, 30],
      [20, 30, 10],
      [30, 10, 20],
      [10, 20, 30]
    ])
  })

  it('delivers f and g of the step although both are overwritten in the next', () => {
    const r = new Rule('leaves', 'g')
    const program = r.compile({ point: r.g, loss: r.f, gradientNorm: r.maxAbs(r.g) })
    const steps = trajectory(program, [1, 2], 2, step => [step, -step])
    expect(steps[1].point).toEqual([1, -1])
    expect(steps.map(s => s.loss)).toEqual([10, 11])
    expect(program.outputs.point).not.toBe(Slot.g)
    expect(program.outputs.loss).not.toBe(Slot.f)
  })

  it('fills a vector state with a scalar', () => {
    const r = new Rule('broadcast', 'g')
    const v = r.vectorState()
    r.next(v, r.add(r.step, 1))
    const program = r.compile({ point: v, loss: r.sum(v), gradientNorm: r.f })
    expect(trajectory(program, [0, 0, 0], 3).map(s => s.loss)).toEqual([0, 3, 6])
  })

  it('says 0 for `stalled` where a rule has no such result', () => {
    const { outputs, constants } = optimizers['gd'].build({ learningRate: 0.5 }, { eps: 2 ** -52, parameters: 1 })
    expect(constants).toContainEqual({ slot: outputs.stalled, value: 0 })
  })

  it('writes to no slot that holds a constant', () => {
    for (let seed = 1; seed <= 200; seed++) {
      const { instructions, constants } = randomRule(seed).program
      for (let at = 0; at < instructions.length; at += instructionWidth) {
        const [op, dst] = instructions.subarray(at)
        if (op >= scalarBase && op < Op.tridiagonalize) expect(constants.map(c => c.slot)).not.toContain(dst)
      }
    }
  })

  it('refuses a rule that uses H without saying so', () => {
    const r = new Rule('careless', 'g')
    const { values } = r.eigh(r.H, r.scale)
    expect(() => r.compile({ point: r.x, loss: r.f, gradientNorm: r.minimum(values) })).toThrow(
      'careless uses H but does not say that it needs it'
    )
  })

  it('refuses a second next value, and one for what is no state', () => {
    const r = new Rule('twice', 'g')
    r.next(r.x, r.g)
    expect(() => r.next(r.x, r.g)).toThrow(/next value is given twice/)
    expect(() => r.next(r.g, r.x)).toThrow(/not a state/)
    const factor = r.factorState()
    r.tridiagonalize(factor, r.H, r.scale, r.constant(1))
    expect(() => r.tridiagonalize(factor, r.H, r.scale, r.constant(1))).toThrow(/set twice/)
  })
})
