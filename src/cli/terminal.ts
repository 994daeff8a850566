/** What the terminal can show: its width, whether colours are wanted, and sentences beside a line of progress. */
import { definitions, wrap } from '../core/text.js'

interface Screen {
  readonly isTTY?: boolean
  readonly columns?: number
}

/** Columns of text where the output goes to a file or another program. */
const plainWidth = 80
const [narrowest, widest] = [40, 120]

/** Columns that text printed on a stream may take. COLUMNS in the environment decides where no terminal does. */
export function widthOf(screen: Screen = process.stdout, environment: NodeJS.ProcessEnv = process.env): number {
  const asked = Number(environment['COLUMNS'])
  const columns = (screen.isTTY === true ? screen.columns : undefined) ?? (asked > 0 ? asked : plainWidth)
  return Math.min(widest, Math.max(narrowest, columns))
}

/** Columns of a sentence on a stream: those of a terminal; a file or another program gets it on one line. */
const lineWidth = (screen: Screen): number => (screen.isTTY === true ? widthOf(screen) : Infinity)

/** Sentences, each from a line of its own on, wrapped between words on a terminal. */
export const lines = (sentences: readonly string[], screen: Screen = process.stdout): string =>
  sentences.flatMap(text => wrap(text, lineWidth(screen))).join('\n')

/** Names beside sentences, which are wrapped within their own column on a terminal. */
export const namedLines = (
  rows: readonly (readonly [string, string])[],
  indent: number,
  screen: Screen = process.stdout
): string => definitions(rows, lineWidth(screen), indent).join('\n')

/** Colour on a terminal, unless NO_COLOR (https://no-color.org) or TERM=dumb ask for none. */
export const colourful = (screen: Screen = process.stdout, environment: NodeJS.ProcessEnv = process.env): boolean =>
  screen.isTTY === true && (environment['NO_COLOR'] ?? '') === '' && environment['TERM'] !== 'dumb'

/** Text in bold where colours are wanted. */
export const bold = (text: string, on = colourful()): string => (on ? `\u001b[1m${text}\u001b[22m` : text)

/** A stream that sentences and progress are written to. */
export interface Output extends Screen {
  write(text: string): unknown
}

/** Back to the first column, and the line emptied. */
export const clearLine = '\r\u001b[2K'

/** Writes a sentence: on a terminal over the line of progress that may stand there, and wrapped between words; elsewhere on one line. */
export function writeSentence(text: string, stream: Output = process.stderr): void {
  stream.write(`${stream.isTTY === true ? clearLine : ''}${lines([text], stream)}\n`)
}
