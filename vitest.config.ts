// How the tests run. Sources are imported from src/ as TypeScript; only tests of the command-line program use dist/,
// which tests/setup/build.ts brings up to date.
import { readFileSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { configDefaults, defineConfig } from 'vitest/config'

/** What all tests have in common, long ones too. */
export const settings = {
  environment: 'node',
  testTimeout: 60_000,
  hookTimeout: 120_000,
  globalSetup: 'tests/setup/build.ts'
}

/** Folders whose tests call functions and no more. */
const plainFolders = ['analysis', 'core', 'data', 'kernels', 'language', 'models', 'optimizers', 'runs', 'study']
/** What changes the folder or the environment of the process: it needs one of its own. */
const ownProcess = /cli\/helpers\.js|helpers\/(engines|localGpu|swiftshader|browser)\.js/

/** They share two threads and what these have loaded: a process for each takes longer to start than most of them to run. */
const plain = plainFolders
  .flatMap(folder =>
    readdirSync(join('tests', folder), { recursive: true, encoding: 'utf8' }).map(name => join('tests', folder, name))
  )
  .filter(file => file.endsWith('.test.ts') && !ownProcess.test(readFileSync(file, 'utf8')))

export default defineConfig({
  test: {
    poolOptions: {
      forks: { minForks: 1, maxForks: 2 },
      threads: { minThreads: 1, maxThreads: 2, isolate: false }
    },
    // A test that hangs on an open handle must not hang the run.
    teardownTimeout: 10_000,
    projects: [
      {
        test: {
          ...settings,
          name: 'processes',
          include: ['tests/**/*.test.ts'],
          // Long sweeps run apart (vitest.long.config.ts).
          exclude: [...configDefaults.exclude, 'tests/long/**', ...plain],
          pool: 'forks'
        }
      },
      { test: { ...settings, name: 'functions', include: plain, pool: 'threads', sequence: { groupOrder: 1 } } }
    ]
  }
})
