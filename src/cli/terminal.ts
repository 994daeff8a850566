/** What the terminal can show: its width, whether colours are wanted, and sentences beside a line of progress. */
import { wrap } from '../core/text.js'

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
  stream.write(stream.isTTY === true ? `${clearLine}${wrap(text, widthOf(stream)).join('\n')}\n` : `${text}\n`)
}
