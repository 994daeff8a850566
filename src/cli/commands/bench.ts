/** `manystart bench`: a card of this machine; below it kernels, convergence of the optimisers, and results compared. */
import type { Command } from '../command.js'
import { cardCommand } from './bench/card.js'
import { compareCommand } from './bench/compare.js'
import { convergenceCommand } from './bench/convergence.js'
import { kernelsCommand } from './bench/kernels.js'

export const benchCommand: Command = {
  ...cardCommand,
  commands: { kernels: kernelsCommand, convergence: convergenceCommand, compare: compareCommand }
}
