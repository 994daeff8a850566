// How much of a grid a run of the tests takes. `npm test` takes a part where the whole needs minutes; `npm run test:long` runs the
// same files over the whole.

/** Whether this is `npm run test:long` (vitest.long.config.ts). */
export const long = process.env['MANYSTART_LONG_TESTS'] === '1'

/** The whole grid in a long run, else `elevenths` of eleven of its cases, spread so that options which alternate over the grid all occur. */
export const part = <T>(grid: readonly T[], elevenths: number): readonly T[] =>
  long ? grid : grid.filter((_, i) => (2 * i) % 11 < elevenths)

/** Engines that stand in for hardware here: a software GPU, and WebAssembly. A short run asks less of them. */
export const slow = ({ name }: { readonly name: string }): boolean =>
  !long && (name === 'webgpu' || name === 'tensorflow')
