/** Shards of a study, run apart, into one: their parts as they are, and the fold of them all. */
import { readdir } from 'node:fs/promises'
import { InputError } from '../core/errors.js'
import type { Summary } from '../core/result.js'
import { StudyDirectory } from '../runs/directory.js'
import { readIntact, readList, type Listed } from '../runs/list.js'
import { realPath } from '../runs/files.js'
import { missing } from '../runs/part.js'
import { readRecord, recordText, shardRange, type Saved, type Shard } from './record.js'
import { foldInto, setUpAgain, type SessionOptions } from './study.js'

interface Piece {
  readonly path: string
  readonly saved: Saved
  readonly list: Listed
}

const shardName = ({ index, of }: Shard): string => `${index}/${of}`

async function readPiece(path: string): Promise<Piece> {
  const saved = await readRecord(path)
  const list = await readList(path)
  if (list.identity !== saved.identity)
    throw new InputError(
      `The record and the runs of ${path} belong to different studies; restore the one that is wrong.`
    )
  if (!saved.shard)
    throw new InputError(`${path} is a whole study and no shard; give directories that --shard has made.`)
  return { path, saved, list }
}

/** @throws InputError that names the first shard which does not fit the others, is there twice, is missing or not complete */
function checkPieces(pieces: readonly Piece[]): void {
  const [first] = pieces
  const count = first.saved.config.starts.count
  const of = first.saved.shard!.of
  const seen = new Map<number, string>()
  for (const { path, saved, list } of pieces) {
    if (saved.identity !== first.saved.identity || saved.config.starts.count !== count || saved.shard!.of !== of)
      throw new InputError(
        `${path} is shard ${shardName(saved.shard!)} of ${saved.config.starts.count} starts of another study than ${first.path}; give the shards of one study.`
      )
    const twin = seen.get(saved.shard!.index)
    if (twin !== undefined)
      throw new InputError(`${path} and ${twin} are both shard ${shardName(saved.shard!)}; leave one of them.`)
    seen.set(saved.shard!.index, path)
    const left = missing(shardRange(count, saved.shard!), list.parts)
    if (left.length > 0)
      throw new InputError(
        `Shard ${shardName(saved.shard!)} in ${path} lacks ${left.reduce((n, r) => n + r.count, 0)} of its starts, the first being ${left[0].first}; \`manystart study --resume ${path}\` runs them.`
      )
  }
  const absent = Array.from({ length: of }, (_, i) => i + 1).filter(index => !seen.has(index))
  if (absent.length > 0)
    throw new InputError(
      `${absent.length === 1 ? 'Shard' : 'Shards'} ${absent.slice(0, 20).join(', ')}${absent.length > 20 ? ' …' : ''} of ${of} ${absent.length === 1 ? 'is' : 'are'} missing; give the directories of all shards.`
    )
}

/** A directory that holds directories of shards stands for all of them. */
async function expand(paths: readonly string[]): Promise<string[]> {
  const all: string[] = []
  for (const path of paths) {
    const isStudy = await readList(path).then(
      () => true,
      () => false
    )
    const inside = isStudy
      ? []
      : (await readdir(path, { withFileTypes: true }).catch(() => [])).filter(e => e.isDirectory())
    all.push(...(inside.length > 0 ? inside.map(e => `${path}/${e.name}`) : [path]))
  }
  return all
}

/**
 * Makes one study of all its shards.
 * @throws InputError when they are not the shards of one study, each complete and there once
 */
export async function mergeStudies(
  out: string,
  paths: readonly string[],
  options: SessionOptions & { readonly force?: boolean } = {}
): Promise<Summary> {
  const pieces: Piece[] = []
  const whole = await realPath(out)
  for (const path of await expand(paths)) {
    if ((await realPath(path)) === whole)
      throw new InputError(`${out} is one of the shards; give another directory for the whole.`)
    pieces.push(await readPiece(path))
  }
  if (pieces.length === 0) throw new InputError('No shards are given; name their directories after that of the whole.')
  checkPieces(pieces)
  // Before anything is written, and anything that is to be replaced is gone.
  for (const { path, saved, list } of pieces)
    for (const part of list.parts) await readIntact(path, part, saved.identity)
  pieces.sort((a, b) => a.saved.range.first - b.saved.range.first)
  const [{ path, saved }] = pieces
  const setup = await setUpAgain(path, saved, undefined, options)
  try {
    const range = { first: 0, count: saved.config.starts.count }
    const directory = await StudyDirectory.create(out, saved.identity, recordText(setup, range, undefined, out), {
      force: options.force ?? false,
      inputs: pieces.map(p => p.path),
      shards: pieces
    })
    return await foldInto(setup, range, directory, {}, options)
  } finally {
    setup.dispose()
  }
}
