// `npm run test:bundle`. Apart from the other tests: making the archive takes minutes.
import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: { include: ['bundle/*.test.ts'], environment: 'node', testTimeout: 300_000, hookTimeout: 900_000 }
})
