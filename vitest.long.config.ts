// `npm run test:long`: sweeps over many seeds, sizes and models, each of which has a short sibling in tests/, and the files whose
// grids `npm test` takes a part of (tests/helpers/length.ts), over the whole. They run as the other tests do, but for their time.
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { configDefaults, defineConfig } from 'vitest/config'
import { BaseSequencer, type TestSpecification } from 'vitest/node'
import { settings } from './vitest.config.js'

const partly = readdirSync('tests', { recursive: true, encoding: 'utf8' })
  .map(name => join('tests', name))
  .filter(file => file.endsWith('.test.ts') && readFileSync(file, 'utf8').includes('helpers/length.js'))

/** Files that take minutes. */
const longest = ['long/disturbed', 'long/proofs', 'conformance/evaluate', 'conformance/invariance', 'study/contrast']

/** The longest files first, so that no core waits for one of them at the end. */
class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const rank = ({ moduleId }: TestSpecification): number => {
      const at = longest.findIndex(name => moduleId.endsWith(`tests/${name}.test.ts`))
      return at < 0 ? longest.length : at
    }
    return (await super.sort(files)).sort((a, b) => rank(a) - rank(b))
  }
}

export default defineConfig({
  test: {
    ...settings,
    pool: 'forks',
    sequence: { sequencer: LongestFirst },
    poolOptions: { forks: { minForks: 1, maxForks: 2 } },
    teardownTimeout: 10_000,
    include: ['tests/long/**/*.test.ts', ...partly],
    env: { MANYSTART_LONG_TESTS: '1' },
    exclude: configDefaults.exclude,
    testTimeout: 600_000
  }
})
