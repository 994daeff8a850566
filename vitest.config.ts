// How the tests run. Sources are imported from src/ as TypeScript; only tests of the command-line program use dist/,
// which tests/setup/build.ts brings up to date.
import { configDefaults, defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    include: ['tests/**/*.test.ts'],
    // Long sweeps run apart (vitest.long.config.ts).
    exclude: [...configDefaults.exclude, 'tests/long/**'],
    environment: 'node',
    pool: 'forks',
    poolOptions: { forks: { minForks: 1, maxForks: 2 } },
    testTimeout: 60_000,
    hookTimeout: 120_000,
    globalSetup: ['tests/setup/build.ts'],
    // A test that hangs on an open handle must not hang the run.
    teardownTimeout: 10_000
  }
})
