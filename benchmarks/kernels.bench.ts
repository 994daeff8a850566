/** The ladder of kernels on every engine that runs here. Flags: --small for sizes that end in seconds, which are not stored. */
import { availableParallelism } from 'node:os'
import { benchKernels } from '../src/bench/kernels/kernels.js'
import { engineText, kernelNames } from '../src/bench/kernels/records.js'
import { ladder, smallSizes } from '../src/bench/kernels/sizes.js'
import { kernelText } from '../src/bench/kernels/tables.js'
import { engines } from '../src/engines/registry.js'
import { writePage } from './page.js'
import { store } from './store.js'

const small = process.argv.includes('--small')
const cores = availableParallelism()
const threads = [1, 2, 4, 8, 16, 32, 64].filter(n => n < cores).concat(cores)
const results = await benchKernels({
  engines,
  kernels: kernelNames,
  sizes: small ? smallSizes : ladder,
  threads,
  secondsPerKernel: small ? 0.05 : 0.5,
  studyScale: small ? 0.02 : 1,
  onRecord: r => process.stderr.write(`${engineText(r)} ${r.kernel} ${r.name} N=${r.sizes.N} P=${r.sizes.P}\n`)
})
console.log(kernelText(results, 120))
if (!small) {
  console.log(`Written to ${store(results)}`)
  await writePage()
}
if (results.records.some(r => r.error !== undefined)) process.exitCode = 1
