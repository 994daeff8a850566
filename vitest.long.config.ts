// `npm run test:long`: sweeps over many seeds, sizes and models, each of which has a short sibling in tests/, and the files whose
// grids `npm test` takes a part of (tests/helpers/length.ts), over the whole. They run as the other tests do, but for their time.
import { configDefaults, defineConfig } from 'vitest/config'
import short from './vitest.config.js'

export default defineConfig({
  test: {
    ...short.test,
    include: [
      'tests/long/**/*.test.ts',
      'tests/conformance/{evaluate,invariance}.test.ts',
      'tests/engines/webgpu/plans.test.ts'
    ],
    env: { MANYSTART_LONG_TESTS: '1' },
    exclude: configDefaults.exclude,
    testTimeout: 600_000
  }
})
