// `npm run test:long`: sweeps over many seeds, sizes and models, each of which has a short sibling in tests/. They run as the
// other tests do, but for the time that each may take.
import { configDefaults, defineConfig } from 'vitest/config'
import short from './vitest.config.js'

export default defineConfig({
  test: {
    ...short.test,
    include: ['tests/long/**/*.test.ts'],
    exclude: configDefaults.exclude,
    testTimeout: 600_000
  }
})
