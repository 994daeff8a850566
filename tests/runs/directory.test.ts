// The directory of a study: nothing half-written is ever listed, nothing of others is ever touched, one process at a time.
import { spawn } from 'node:child_process'
import {
  appendFileSync,
  existsSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  rmSync,
  symlinkSync,
  truncateSync,
  utimesSync,
  writeFileSync
} from 'node:fs'
import { hostname } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { InputError } from '../../src/core/errors.js'
import { StudyDirectory, type CreateOptions } from '../../src/runs/directory.js'
import { readList, readPart } from '../../src/runs/list.js'
import { generatorTag } from '../../src/runs/ours.js'
import { encodePoints, readRuns } from '../../src/runs/points.js'
import { rowsOf } from '../helpers/parts.js'
import { cost, identity, part, record, tables, studyFolders } from '../helpers/studyFolders.js'

const other = 'b'.repeat(64)

const { at, begin, study } = studyFolders()

describe('a study that begins with parts of others', () => {
  const whole = (shards: readonly Shard[], force = true): Promise<StudyDirectory> =>
    StudyDirectory.create(at('whole'), identity, record(identity), { force, shards })
  type Shard = NonNullable<CreateOptions['shards']>[number]

  async function shards(): Promise<Shard[]> {
    const paths = [await study('one'), at('two')]
    const two = await begin('two')
    await two.add(part(256, 256), cost)
    await two.remark('a note')
    await two.close()
    return Promise.all(paths.map(async path => ({ path, list: await readList(path) })))
  }

  it('has their bytes and notes, and goes on', async () => {
    const pieces = await shards()
    const directory = await whole(pieces)
    await directory.add(part(512, 512), cost)
    await directory.close()
    const { parts, notes, open } = await readList(at('whole'))
    expect(parts.map(p => p.first)).toEqual([0, 256, 512])
    expect(notes).toEqual(['a note'])
    expect(open).toEqual([])
    for (const [n, { path }] of pieces.entries())
      expect(readFileSync(at('whole', 'runs', parts[n].file))).toEqual(readFileSync(join(path, 'runs', parts[n].file)))
  })

  it.each(['gone', 'altered'])('is as it was found where one of them is %s', async how => {
    const pieces = await shards()
    const runs = join(pieces[1].path, 'runs')
    const [file] = readdirSync(runs).filter(name => name.startsWith('part-'))
    if (how === 'gone') rmSync(join(runs, file))
    else
      writeFileSync(
        join(runs, file),
        readFileSync(join(runs, file)).map(b => b ^ 1)
      )
    await expect(whole(pieces)).rejects.toThrow(how === 'gone' ? /cannot be written|cannot be read/ : /has changed/)
    expect(existsSync(at('whole'))).toBe(false)
    mkdirSync(at('whole'))
    await expect(whole(pieces)).rejects.toThrow()
    expect(readdirSync(at('whole'))).toEqual([])
    // A study that would have been replaced is there as it was.
    rmSync(at('whole'), { recursive: true })
    const before = await study('whole')
    const content = (): unknown =>
      readdirSync(before, { recursive: true, withFileTypes: true })
        .filter(e => e.isFile())
        .map(e => [e.name, readFileSync(join(e.parentPath, e.name), 'utf8')])
    const text = content()
    await expect(whole(pieces)).rejects.toThrow()
    expect(content()).toEqual(text)
  })
})

describe('parts', () => {
  it('that count for nothing are taken away before a study goes on, and nothing else is', async () => {
    const path = await study()
    const runs = join(path, 'runs')
    const bytes = readFileSync(join(runs, 'open-0000000000256.parquet'))
    const directory = await StudyDirectory.resume(path, identity)
    await directory.add(part(256, 256), cost)
    // Killed after the list and before the file was removed, after a file and before the list, and after forgetting.
    const left = ['open-0000000000256.parquet', 'open-0000000000512.parquet', 'part-0000000000512-16.parquet']
    const others = ['part-1 copy.parquet', 'notes.txt', 'open-mine.parquet']
    for (const name of [...left, ...others]) writeFileSync(join(runs, name), bytes)
    await directory.close()
    await (await StudyDirectory.resume(path, identity)).close()
    expect(readdirSync(runs).sort()).toEqual(
      ['part-0000000000000-256.parquet', 'part-0000000000256-256.parquet', 'parts.jsonl', ...others].sort()
    )
  })

  it('are listed once they are on the disk, and one under way is replaced by the whole', async () => {
    const directory = await begin()
    await directory.keep({ ...part(256, 3), count: 256 }, cost)
    await directory.add(part(0, 256), cost)
    expect((await readList(directory.path)).open.map(e => [e.first, e.count, e.rows])).toEqual([[256, 256, 3]])
    await directory.add(part(256, 256), cost)
    const { parts, open } = await readList(directory.path)
    expect(open).toEqual([])
    expect(parts.map(e => [e.first, e.count])).toEqual([
      [0, 256],
      [256, 256]
    ])
    expect(await readPart(directory.path, parts[1], identity)).toEqual(part(256, 256))
    await directory.close()
    expect(readdirSync(join(directory.path, 'runs')).sort()).toEqual([
      'part-0000000000000-256.parquet',
      'part-0000000000256-256.parquet',
      'parts.jsonl'
    ])
    expect(readdirSync(directory.path).sort()).toEqual(['runs', 'study.json'])
  })

  it('that are complete are not followed by what there was of them before', async () => {
    const directory = await begin()
    const early = directory.keep({ ...part(0, 3), count: 256 }, cost)
    const whole = directory.add(part(0, 256), cost)
    const late = directory.keep({ ...part(0, 5), count: 256 }, cost)
    await Promise.all([early, whole, late])
    await directory.close()
    expect(readdirSync(join(directory.path, 'runs')).sort()).toEqual(['part-0000000000000-256.parquet', 'parts.jsonl'])
    const { parts, open } = await readList(directory.path)
    expect([parts.map(e => e.rows), open]).toEqual([[256], []])
  })

  it('come back in order with their points', async () => {
    const directory = await begin()
    await directory.add(part(256, 256), cost)
    await directory.add(part(0, 256), cost)
    const points = [0, 256].map(first => ({
      start: rowsOf(first, 256).start,
      point: Int32Array.from({ length: 256 }, (_, i) => ((first + i) % 5) - 1)
    }))
    await directory.write('runs/points.parquet', encodePoints(identity, points))
    await directory.close()
    let next = 0
    for await (const { rows, point } of readRuns(directory.path))
      for (let i = 0; i < rows.count; i++, next++) expect([rows.start[i], point[i]]).toEqual([next, (next % 5) - 1])
    expect(next).toBe(512)
  })

  it.each([
    { what: 'truncated', spoil: (path: string) => truncateSync(path, 5000) },
    {
      what: 'altered',
      spoil: (path: string) =>
        writeFileSync(
          path,
          readFileSync(path).map((v, i) => (i === 4000 ? v ^ 1 : v))
        )
    },
    { what: 'missing', spoil: (path: string) => rmSync(path) },
    { what: 'empty', spoil: (path: string) => writeFileSync(path, '') }
  ])('that are $what are named, set aside, and no longer listed', async ({ spoil }) => {
    const path = await study()
    const file = join(path, 'runs', 'part-0000000000000-256.parquet')
    spoil(file)
    const [listed] = (await readList(path)).parts
    await expect(readPart(path, listed, identity)).rejects.toThrow(InputError)
    await expect(readPart(path, listed, identity)).rejects.toThrow(file)
    const directory = await StudyDirectory.resume(path, identity)
    const [sentence, ...more] = await directory.verify()
    expect(more).toEqual([])
    expect(sentence).toContain(file)
    expect(sentence).toContain('256 runs are computed again')
    expect(directory.parts).toEqual([])
    await directory.add(part(0, 256), cost)
    expect(await directory.read(directory.parts[0])).toEqual(part(0, 256))
    await directory.close()
  })

  it('of another study are refused by their identity', async () => {
    const path = await study()
    const [listed] = (await readList(path)).parts
    await expect(readPart(path, listed, other)).rejects.toThrow(/belongs to another study/)
    await expect(StudyDirectory.resume(path, other)).rejects.toThrow(/different studies/)
  })

  it('of lines that were cut or altered are not listed; the others are', async () => {
    const path = await study()
    const list = join(path, 'runs', 'parts.jsonl')
    const text = readFileSync(list, 'utf8')
    appendFileSync(list, '{"file":"part-00')
    expect((await readList(path)).parts.length).toBe(1)
    for (const line of [
      { file: '../../x', first: 512 },
      { file: 'part-0000000000512-256.parquet', first: 512, count: 256, rows: 200 },
      { file: 'part-0000000000000-256.parquet', first: 1, count: 256, rows: 256 }
    ])
      appendFileSync(
        list,
        `\n${JSON.stringify({ count: 1, rows: 1, bytes: 1, sha256: '0'.repeat(64), cost, ...line })}\n`
      )
    expect((await readList(path)).parts.map(e => e.first)).toEqual([0])
    writeFileSync(list, text.replace('manystart/parts', 'x'))
    await expect(readList(path)).rejects.toThrow(InputError)
  })
})

describe('temporary files', () => {
  const [ours, runs] = [
    ['.summary.json.partial', '.report.html.partial', `.lock-1-2-3.partial`],
    ['.part-0000000000512-512.parquet.partial', '.parts.jsonl.partial', '.points.parquet.partial']
  ]
  const others = ['.notes.partial', '.part-1.parquet.partial', '.lock-mine.partial']

  it.each(['is begun', 'is replaced', 'goes on'])('of a kill go when a study %s, those of others stay', async how => {
    const path = at('a')
    if (how !== 'is begun') await study()
    mkdirSync(join(path, 'runs'), { recursive: true })
    for (const name of ours) writeFileSync(join(path, name), 'x')
    for (const name of runs) writeFileSync(join(path, 'runs', name), 'x')
    if (how !== 'is begun')
      for (const name of others) for (const folder of ['.', 'runs']) writeFileSync(join(path, folder, name), 'mine')
    const directory = await (how === 'goes on' ? StudyDirectory.resume(path, identity) : begin('a', true))
    await directory.close()
    const left = (readdirSync(path, { recursive: true }) as string[]).filter(name => name.endsWith('.partial'))
    const kept = others.flatMap(name => [name, join('runs', name)])
    expect(left.sort()).toEqual(how === 'is begun' ? [] : kept.sort())
  })
})

describe('what is there already', () => {
  it.each(['report.html', 'summary.json', 'study.json', 'notes.txt'])(
    'a %s of the user’s is never replaced',
    async name => {
      const path = at('a')
      mkdirSync(path)
      writeFileSync(join(path, name), 'mine')
      await expect(begin()).rejects.toThrow(/is not empty/)
      await expect(begin('a', true)).rejects.toThrow(/does not hold a study of this program/)
      expect(readdirSync(path)).toEqual([name])
      expect(readFileSync(join(path, name), 'utf8')).toBe('mine')
    }
  )

  it('--force replaces a study of ours, and leaves other files beside it', async () => {
    const path = await study()
    writeFileSync(join(path, 'notes.txt'), 'mine')
    await expect(begin()).rejects.toThrow(/--force/)
    const directory = await StudyDirectory.create(path, other, record(other), { force: true })
    await directory.close()
    expect((await readList(path)).identity).toBe(other)
    expect((await readList(path)).parts).toEqual([])
    expect(readdirSync(path).sort()).toEqual(['notes.txt', 'runs', 'study.json'])
    expect(readdirSync(join(path, 'runs'))).toEqual(['parts.jsonl'])
  })

  it('a report of the user’s in a study of ours stops --force', async () => {
    const path = await study()
    writeFileSync(join(path, 'report.html'), '<p>mine</p>')
    await expect(begin('a', true)).rejects.toThrow(/report.html was not written by this program/)
    expect((await readList(path)).parts.length).toBe(1)
    const directory = await StudyDirectory.resume(path, identity)
    await expect(directory.write('report.html', 'x')).rejects.toThrow(/not written by this program/)
    await directory.close()
  })

  it('what cannot be read is not replaced', async () => {
    const path = await study()
    mkdirSync(join(path, 'report.html'))
    await expect(begin('a', true)).rejects.toThrow(/report.html cannot be read, so it is not replaced/)
    expect((await readList(path)).parts.length).toBe(1)
  })

  it.each(['study.json', 'report.html', 'runs/x.csv'])(
    'an input that links lead to in the place of %s is never written',
    async name => {
      const path = await study()
      if (name === 'runs/x.csv') writeFileSync(join(path, name), 'mine')
      else if (name === 'report.html') writeFileSync(join(path, name), generatorTag)
      const [link, folder] = [at('link'), at('folder')]
      symlinkSync(join(path, name), link)
      symlinkSync(path, folder)
      for (const [input, out] of [
        [link, path],
        [link, folder],
        [join(path, name), folder],
        [join(folder, name), path]
      ])
        await expect(
          StudyDirectory.create(out, identity, record(identity), { force: true, inputs: [input] })
        ).rejects.toThrow(/is read by this study/)
      expect((await readList(path)).parts.length).toBe(1)
    }
  )

  it.each(['study.json', 'report.html', 'runs/x.csv'])('an input in the place of %s is never written', async name => {
    const path = at('a')
    const input = join(path, name)
    const create = StudyDirectory.create(path, identity, record(identity), { force: true, inputs: [input] })
    await expect(create).rejects.toThrow(/is read by this study/)
    expect(existsSync(path)).toBe(false)
  })

  it('a link under the temporary name leads nowhere', async () => {
    const path = await study()
    const victim = at('victim')
    writeFileSync(victim, 'mine')
    const directory = await StudyDirectory.resume(path, identity)
    symlinkSync(victim, join(path, '.summary.json.partial'))
    symlinkSync(victim, join(path, 'runs', '.part-0000000000256-256.parquet.partial'))
    await directory.sumUp('{"format":"manystart/summary"}', tables)
    await directory.add(part(256, 256), cost)
    await directory.close()
    expect(readFileSync(victim, 'utf8')).toBe('mine')
  })

  it('a study of which no run has ended is taken back with the directories made for it', async () => {
    const directory = await begin('b/c/d')
    await directory.undo()
    expect(readdirSync(at())).toEqual([])
  })

  it('a study that is gone on with is never taken back, also where none of its runs is left', async () => {
    const path = await study()
    for (const name of readdirSync(join(path, 'runs'))) if (name.endsWith('.parquet')) rmSync(join(path, 'runs', name))
    const directory = await StudyDirectory.resume(path, identity)
    expect((await directory.verify()).length).toBe(2)
    await directory.undo()
    expect(readdirSync(path).sort()).toEqual(['runs', 'study.json'])
    await (await StudyDirectory.resume(path, identity)).close()
  })
})

describe('the lock', () => {
  it('keeps a second process out while the first writes', async () => {
    const path = await study()
    const first = await StudyDirectory.resume(path, identity)
    await expect(StudyDirectory.resume(path, identity)).rejects.toThrow(
      new RegExp(`is being written by process ${process.pid} on ${hostname()}`)
    )
    await expect(begin('a', true)).rejects.toThrow(/is being written by/)
    await first.close()
    await (await StudyDirectory.resume(path, identity)).close()
  })

  it('of a process that is gone is taken over, which is said', async () => {
    const path = await study()
    // No process has this number: it is beyond the largest that Linux gives.
    const gone = { host: hostname(), pid: 2 ** 22 + 1, started: '1', token: 'x' }
    writeFileSync(join(path, '.lock'), JSON.stringify(gone))
    const directory = await StudyDirectory.resume(path, identity)
    expect(directory.said.join()).toMatch(/process 4194305 on .* is gone; its lock has been taken over/)
    await directory.close()
    expect(existsSync(join(path, '.lock'))).toBe(false)
  })

  it('of a process that has ended, and that nobody has asked how, is taken over', async () => {
    const path = await study()
    // The shell begins a process, and becomes another program that does not know of it before it ends.
    const shell = spawn('bash', ['-c', 'exec 3<&0; cat <&3 & echo $!; exec sleep 60'], {
      stdio: ['pipe', 'pipe', 'ignore']
    })
    const soon = (): Promise<void> => new Promise(resolve => setTimeout(resolve, 5))
    try {
      const pid = Number(await new Promise(resolve => shell.stdout.once('data', resolve)))
      const stat = (): string => readFileSync(`/proc/${pid}/stat`, 'utf8').replace(/.*\) /, '')
      while (readFileSync(`/proc/${shell.pid}/comm`, 'utf8') !== 'sleep\n') await soon()
      shell.stdin.end()
      while (!stat().startsWith('Z')) await soon()
      const ended = { host: hostname(), pid, started: stat().split(' ')[19], token: 'x' }
      writeFileSync(join(path, '.lock'), JSON.stringify(ended))
      const directory = await StudyDirectory.resume(path, identity)
      expect(directory.said.join()).toMatch(/is gone; its lock has been taken over/)
      await directory.close()
    } finally {
      shell.kill('SIGKILL')
    }
  })

  it('of a process in another container of the same name is not taken over while it is refreshed', async () => {
    const path = await study()
    const lock = join(path, '.lock')
    const there = { host: hostname(), space: 'pid:[1]', pid: 2 ** 22 + 1, started: '1', token: 'x' }
    writeFileSync(lock, JSON.stringify(there))
    const refreshed = setInterval(() => {
      const now = new Date()
      utimesSync(lock, now, now)
    }, 100)
    try {
      await expect(StudyDirectory.resume(path, identity)).rejects.toThrow(/is being written by process 4194305/)
    } finally {
      clearInterval(refreshed)
    }
    expect(JSON.parse(readFileSync(lock, 'utf8'))).toEqual(there)
    // Nobody tells where the number belongs: then it counts as one of here.
    const { space: _, ...unnamed } = there
    writeFileSync(lock, JSON.stringify(unnamed))
    const directory = await StudyDirectory.resume(path, identity)
    expect((JSON.parse(readFileSync(lock, 'utf8')) as { space?: string }).space).toMatch(/^pid:/)
    await directory.close()
  })

  it('of another program is left alone', async () => {
    const path = await study()
    for (const text of ['mine', '{"pid":1}', '[]']) {
      writeFileSync(join(path, '.lock'), text)
      await expect(StudyDirectory.resume(path, identity)).rejects.toThrow(/\.lock is no lock of this program/)
      expect(readFileSync(join(path, '.lock'), 'utf8')).toBe(text)
    }
    expect(readdirSync(path).sort()).toEqual(['.lock', 'runs', 'study.json'])
  })

  it('that is lost with the directory stops the writer in a sentence', async () => {
    const path = await study()
    const directory = await StudyDirectory.resume(path, identity)
    rmSync(path, { recursive: true })
    await expect(directory.add(part(256, 256), cost)).rejects.toThrow(/was removed, or taken over/)
    await directory.close()
  })
})
