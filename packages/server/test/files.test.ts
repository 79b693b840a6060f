import { chmod, mkdir, mkdtemp, readdir, rm, stat, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import { openLevelLog } from '../src/index.js'
import { startServer, textUpdate } from './support/harness.js'

async function newFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'parley-files-'))
  onTestFinished(() => rm(folder, { recursive: true, force: true }))
  return folder
}

describe('the web root', () => {
  it('[HTTP7] serves no target of a link that leads out of it, and no dotfile', async () => {
    const folder = await newFolder()
    const root = join(folder, 'web')
    await mkdir(join(root, 'assets'), { recursive: true })
    await mkdir(join(folder, 'elsewhere'))
    await writeFile(join(folder, 'elsewhere', 'index.html'), 'secret')
    await writeFile(join(folder, 'elsewhere', 'a.txt'), 'secret')
    await writeFile(join(root, 'index.html'), 'page')
    await writeFile(join(root, 'assets', 'x.js'), 'script')
    await writeFile(join(root, '.env'), 'secret')
    await mkdir(join(root, '.git'))
    await writeFile(join(root, '.git', 'config'), 'secret')
    await symlink(join(folder, 'elsewhere'), join(root, 'folder'))
    await symlink(join(folder, 'elsewhere', 'a.txt'), join(root, 'a b.txt'))
    await symlink(join(root, 'assets', 'x.js'), join(root, 'inside.js'))
    const { url } = await startServer({ webRoot: root })
    for (const path of [
      '/folder/',
      '/folder/a.txt',
      '/folder/index.html',
      '/a%20b.txt',
      '/.env',
      '/%2eenv',
      '/.git/config',
    ]) {
      const answer = await fetch(url + path)
      expect([path, answer.status >= 400, await answer.text()]).toEqual([
        path,
        true,
        expect.not.stringContaining('secret'),
      ])
    }
    expect((await fetch(`${url}/.env`)).status).toBe(403)
    expect(await (await fetch(`${url}/inside.js`)).text()).toBe('script')
    expect(await (await fetch(`${url}/assets/x.js`)).text()).toBe('script')
  })

  it('[HTTP8] lets pages connect to the server alone, and asks for TLS where there is some', async () => {
    const root = await newFolder()
    await writeFile(join(root, 'index.html'), 'page')
    const behind = await startServer({ webRoot: root, trustProxy: ['loopback'] })
    const secure = await fetch(behind.url, { headers: { 'x-forwarded-proto': 'https' } })
    expect(secure.headers.get('strict-transport-security')).toBe('max-age=31536000')
    expect(secure.headers.get('permissions-policy')).toContain('camera=()')
    const { host } = new URL(behind.url)
    expect(secure.headers.get('content-security-policy')).toContain(
      `connect-src 'self' ws://${host} wss://${host};`,
    )
    expect((await fetch(behind.url)).headers.get('strict-transport-security')).toBeNull()
    const alone = await startServer({ webRoot: root })
    const claimed = await fetch(alone.url, { headers: { 'x-forwarded-proto': 'https' } })
    expect(claimed.headers.get('strict-transport-security')).toBeNull()
  })
})

describe.skipIf(process.platform === 'win32')('the data folder', () => {
  it('[HTTP9] that exists is closed to others, with all files in it', async () => {
    const folder = await newFolder()
    const first = await openLevelLog({ folder })
    await first.append('alice', textUpdate('private'))
    await first.close()
    await chmod(folder, 0o755)
    const all = (await readdir(folder, { recursive: true })).map((name) => join(folder, name))
    for (const path of all) await chmod(path, (await stat(path)).isDirectory() ? 0o755 : 0o644)
    const again = await openLevelLog({ folder })
    expect((await stat(folder)).mode & 0o777).toBe(0o700)
    for (const path of all) {
      const info = await stat(path).catch(() => null)
      if (info) expect([path, info.mode & 0o077]).toEqual([path, 0])
    }
    await again.close()
  })
})
