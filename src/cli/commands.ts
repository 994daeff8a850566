/** The commands of the program. A command's code is loaded when it is asked for, so that `--version` and `--help` answer at once. */
import type { Entry } from './command.js'

export const commands: Readonly<Record<string, Entry>> = {
  contrast: {
    describe: 'convex and non-convex models side by side on one data set',
    group: 'Ask',
    load: async () => (await import('./commands/contrast.js')).contrastCommand
  },
  study: {
    describe: 'one model, many starts; flags override the file',
    group: 'Ask',
    load: async () => (await import('./commands/study.js')).studyCommand
  },
  variance: {
    describe: 'why runs differ: starts, orders of mini-batches, rows',
    group: 'Ask',
    load: async () => (await import('./commands/variance.js')).varianceCommand
  },
  compare: {
    describe: 'two studies: which minima they share, and which does better',
    group: 'Look again',
    load: async () => (await import('./commands/compare.js')).compareCommand
  },
  check: {
    describe: 'rank and separation of the data, before any training',
    group: 'Ask',
    load: async () => (await import('./commands/check.js')).checkCommand
  },
  merge: {
    describe: 'shards of a study into one',
    group: 'Many machines',
    load: async () => (await import('./commands/merge.js')).mergeCommand
  },
  slurm: {
    describe: 'an array of shards on a SLURM cluster, and their merge',
    group: 'Many machines',
    load: async () => (await import('./commands/slurm.js')).slurmCommand
  },
  report: {
    describe: 'study directory → report.html',
    group: 'Look again',
    load: async () => (await import('./commands/report.js')).reportCommand
  },
  replay: {
    describe: 'one start again, with its path, on any engine',
    group: 'Look again',
    load: async () => (await import('./commands/replay.js')).replayCommand
  },
  predict: {
    describe: 'predictions of a saved study for new rows',
    group: 'Look again',
    load: async () => (await import('./commands/predict.js')).predictCommand
  },
  export: {
    describe: 'a model as data or as a function of Python or R, or the runs as CSV',
    group: 'Look again',
    load: async () => (await import('./commands/export.js')).exportCommand
  },
  engines: {
    describe: 'what can run here, what cannot, and why',
    group: 'This machine',
    load: async () => (await import('./commands/engines.js')).enginesCommand
  },
  bench: {
    describe: 'what the hardware gives: kernels, convergence, and two results compared',
    group: 'This machine',
    load: async () => (await import('./commands/bench.js')).benchCommand
  },
  completion: {
    describe: 'a script that completes commands and flags in bash, zsh or fish',
    group: 'This machine',
    load: async () => (await import('./commands/completion.js')).completionCommand
  }
}
