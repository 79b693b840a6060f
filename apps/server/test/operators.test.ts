import { spawn } from 'node:child_process'
import { mkdir, readdir, stat, writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { describe, expect, it, onTestFinished } from 'vitest'
import { findSimilar } from '../src/findSimilar.js'
import { fitConnections } from '../src/openFiles.js'
import { MAIN, newFolder, parley, serve } from './support/parley.js'

const CONVERSATIONS = JSON.stringify([
  { channel_id: 'bob', channel_type: 1, last_msg_seq: 3, unread: 1, timestamp: 1_700_000_000 },
])

async function newData(): Promise<string> {
  const data = join(await newFolder(), 'data')
  const { code } = await parley(['import', '--create', '--user', 'alice', '--data', data], {
    input: CONVERSATIONS,
  })
  expect(code).toBe(0)
  return data
}

describe('the commands', () => {
  it('[CMD1] make no data folder where its name is mistyped, and say so', { timeout: 60_000 }, async () => {
    const folder = await newFolder()
    const data = join(folder, 'typo')
    const commands = [
      ['import', '--user', 'alice'],
      ['export', '--user', 'alice'],
      ['inspect', '--user', 'alice'],
      ['revoke', '--user', 'alice'],
      ['forget', '--user', 'alice'],
      ['backup', join(folder, 'backup')],
      ['verify'],
      ['verify', '--repair'],
    ]
    for (const command of commands) {
      const { code, err } = await parley([...command, '--data', data], { input: CONVERSATIONS })
      expect([command, code, err]).toEqual([
        command,
        1,
        expect.stringContaining(`There is no data folder ${data}`),
      ])
      expect([command, await readdir(folder)]).toEqual([command, []])
    }
    // A folder of something else is none either.
    await mkdir(data)
    expect((await parley(['export', '--user', 'alice', '--data', data])).code).toBe(1)
    expect(await readdir(data)).toEqual([])
  })

  it('[CMD2] end with a message where the server of the data folder hangs', { timeout: 90_000 }, async () => {
    const data = await newData()
    const hangs = createServer((request, response) => {
      // Answers that it is there, and then no command.
      if (request.url?.startsWith('/hello')) response.end('{}')
    })
    const socket = join(data, 'control.sock')
    await new Promise<void>((resolve) => hangs.listen(socket, resolve))
    onTestFinished(() => {
      hangs.closeAllConnections()
      hangs.close()
    })
    await writeFile(join(data, 'control.json'), JSON.stringify({ socket, pid: 4711 }))
    const env = { PARLEY_COMMAND_TIMEOUT: '1' }
    const commands = [
      ['import', '--user', 'alice'],
      ['export', '--user', 'alice'],
      ['inspect', '--user', 'alice'],
      ['revoke', '--user', 'alice'],
      ['forget', '--user', 'alice'],
      ['backup', join(await newFolder(), 'backup')],
      ['verify'],
    ]
    const ran = await Promise.all(
      commands.map((command) => parley([...command, '--data', data], { env, input: CONVERSATIONS })),
    )
    for (const [index, { code, err }] of ran.entries()) {
      expect([commands[index], code, err]).toEqual([
        commands[index],
        1,
        expect.stringMatching(/process 4711, has not finished the command within 1 s/),
      ])
    }
    expect(
      (await parley(['verify', '--data', data], { env: { PARLEY_COMMAND_TIMEOUT: 'soon' } })).err,
    ).toContain('PARLEY_COMMAND_TIMEOUT must be a number of seconds')
  })

  it('[CMD3] wait for one another', { timeout: 90_000 }, async () => {
    const data = await newData()
    const ran = await Promise.all(
      Array.from({ length: 4 }, (_, n) =>
        parley(['import', '--user', `user${n}`, '--data', data], { input: CONVERSATIONS }),
      ),
    )
    expect(ran.map(({ code }) => code)).toEqual([0, 0, 0, 0])
    expect(ran.some(({ err }) => err.includes('waiting for it, at most 60 s'))).toBe(true)
    for (let n = 0; n < 4; n++) {
      expect((await parley(['inspect', '--user', `user${n}`, '--data', data])).code).toBe(0)
    }
  })

  it('[CMD4] name a flag or a command that is mistyped, and the one that may be meant', {
    timeout: 30_000,
  }, async () => {
    const cases: ReadonlyArray<[string[], string]> = [
      [['export', '--usr', 'alice'], 'There is no flag --usr here; is --user meant?'],
      [['serve', '--prot', '1'], 'There is no flag --prot here; is --port meant?'],
      [['verify', '--repiar'], 'There is no flag --repiar here; is --repair meant?'],
      [
        ['export', '--frobnicate'],
        'There is no flag --frobnicate here, but --data, --store, --user, --readable',
      ],
      [['exprot'], 'There is no command exprot; is export meant?'],
    ]
    for (const [args, message] of cases) {
      const { code, err } = await parley(args)
      expect([args, code, err]).toEqual([args, 1, expect.stringContaining(message)])
    }
    expect(findSimilar('xyz', ['user', 'data'])).toBe(null)
  })

  it('[EXP1] export and import are inverse, in a pipe, gzipped, through a server, and under another user', {
    timeout: 90_000,
  }, async () => {
    const data = await newData()
    const exported = await parley(['export', '--user', 'alice', '--data', data])
    const other = join(await newFolder(), 'other')
    expect((await parley(['import', '--create', '--data', other], { input: exported.out })).err).toContain(
      'Imported for alice: 1 conversations',
    )
    expect((await parley(['export', '--user', 'alice', '--data', other])).out).toBe(exported.out)
    const file = join(await newFolder(), 'alice.json.gz')
    await writeFile(file, gzipSync(exported.out))
    const serving = await serve(other)
    expect((await parley(['import', file, '--user', 'bob', '--data', other])).code).toBe(0)
    const bob = await parley(['export', '--user', 'bob', '--data', other])
    expect(JSON.parse(bob.out)).toEqual({ ...JSON.parse(exported.out), userId: 'bob' })
    await serving.stop('SIGTERM')
    const readable = await parley(['export', '--readable', '--user', 'alice', '--data', data])
    const refused = await parley(['import', '--data', data], { input: readable.out })
    expect([refused.code, refused.err]).toEqual([1, expect.stringContaining('--readable cannot be imported')])
  })

  it('[EXP4] export of a damaged room prints the rest, names what is missing, and ends with 1', {
    timeout: 90_000,
  }, async () => {
    const data = await newData()
    const { openLevelLog } = await import('@parley/server')
    const store = await openLevelLog({ folder: data })
    await store.append('alice', new Uint8Array([9, 9, 9]))
    await store.close()
    const alone = await parley(['export', '--user', 'alice', '--data', data])
    expect([alone.code, alone.err]).toEqual([
      1,
      expect.stringMatching(/not all that was stored of alice.*entry \d+/),
    ])
    expect(JSON.parse(alone.out).conversations).toHaveLength(1)
    const serving = await serve(data)
    const through = await parley(['export', '--user', 'alice', '--data', data])
    expect([through.code, through.err]).toEqual([1, alone.err])
    expect(through.out).toBe(alone.out)
    await serving.stop('SIGTERM')
  })
})

describe('the limit to open files', () => {
  it('[OPS2] is refused at the start with the number that is needed', { timeout: 30_000 }, async () => {
    const data = join(await newFolder(), 'data')
    const run = (limit: number, limits: string): Promise<{ code: number | null; err: string }> =>
      new Promise((resolve) => {
        const command = `ulimit -n ${limit}; exec "${process.execPath}" "${MAIN}" serve --data "${data}" --port 0`
        const child = spawn('sh', ['-c', command], { env: { ...process.env, PARLEY_LIMITS: limits } })
        let err = ''
        child.stderr.on('data', (chunk) => {
          err += chunk
        })
        child.on('close', (code) => resolve({ code, err }))
      })
    const explicit = await run(1_000, 'connections=5000')
    expect([explicit.code, explicit.err]).toEqual([
      1,
      expect.stringContaining('5356 open files are needed for 5000 connections'),
    ])
    const low = await run(200, '')
    expect([low.code, low.err]).toEqual([1, expect.stringContaining('456 open files are needed')])
    await expect(stat(data)).rejects.toThrow()
  })

  it('[OPS2] lowers the default limit to connections to what fits, and takes what was asked for or nothing', () => {
    expect(fitConnections(undefined, 356, null)).toBe(100_000)
    expect(fitConnections(undefined, 356, 1_000_000)).toBe(100_000)
    expect(fitConnections(undefined, 356, 1_356)).toBe(1_000)
    expect(fitConnections(500, 356, 856)).toBe(500)
    expect(() => fitConnections(501, 356, 856)).toThrow('857 open files')
  })
})
