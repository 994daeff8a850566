// `.ci/sanitizer`: what the addon computes, with one that stops at the first wrong use of memory and at undefined behaviour.
import { defineConfig } from 'vitest/config'
import { settings } from './vitest.config.js'

export default defineConfig({
  test: {
    ...settings,
    globalSetup: 'tests/setup/processor.ts',
    pool: 'forks',
    poolOptions: { forks: { minForks: 1, maxForks: 2 } },
    include: [
      'tests/conformance/**/*.test.ts',
      'tests/kernels/**/*.test.ts',
      'tests/engines/{cpuBoundary,formulaProofs,proofs}.test.ts',
      'tests/runs/**/*.test.ts'
    ],
    testTimeout: 600_000
  }
})
