// `npm run test:long`: sweeps over many seeds, sizes and models, each of which has a short sibling in tests/, and the files whose
// grids `npm test` takes a part of (tests/helpers/length.ts), over the whole. They run as the other tests do, but for their time.
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { configDefaults, defineConfig } from 'vitest/config'
import { settings } from './vitest.config.js'

const partly = readdirSync('tests', { recursive: true, encoding: 'utf8' })
  .map(name => join('tests', name))
  .filter(file => file.endsWith('.test.ts') && readFileSync(file, 'utf8').includes('helpers/length.js'))

export default defineConfig({
  test: {
    ...settings,
    pool: 'forks',
    poolOptions: { forks: { minForks: 1, maxForks: 2 } },
    teardownTimeout: 10_000,
    include: ['tests/long/**/*.test.ts', ...partly],
    env: { MANYSTART_LONG_TESTS: '1' },
    exclude: configDefaults.exclude,
    testTimeout: 600_000
  }
})
