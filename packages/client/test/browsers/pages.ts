import { createServer as createHttpServer, type RequestListener } from 'node:http'
import { createServer as createHttpsServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { fileURLToPath } from 'node:url'
import { bundle } from '../chromium/chromium.js'
import { CERTIFICATE } from './certificate.js'

const SCRIPT = '<!doctype html><meta charset="utf-8"><script src="/page.js"></script>'

/** A frame that has no origin of its own, and so may use nothing that is kept for one. It says what became of its client. */
const FRAME = `${SCRIPT}<script>
let ticks = 0
setInterval(() => ticks++, 50)
start({ userId: 'framed' }).then(() => {
  draft().set('typed in a frame')
  setTimeout(() => parent.postMessage({ status: client.status.getSnapshot(), text: text(), ticks }, '*'), 1000)
}, (error) => parent.postMessage({ error: String(error) }, '*'))
</script>`

const SANDBOX = `${SCRIPT}<script>
window.framed = new Promise((resolve) => addEventListener('message', (event) => resolve(event.data)))
</script><iframe sandbox="allow-scripts" src="/frame"></iframe>`

/** Serves pages with the client, by HTTP and by HTTPS. */
export async function servePages() {
  const code = await bundle(fileURLToPath(new URL('./page.ts', import.meta.url)))
  const bodies: Record<string, string> = {
    '/page.js': code,
    '/frame': FRAME,
    '/sandbox': SANDBOX,
    '/': SCRIPT,
    '/other': 'Other',
  }
  const answer: RequestListener = (request, response) => {
    const body = bodies[request.url ?? '']
    const type = request.url === '/page.js' ? 'text/javascript' : 'text/html'
    response.writeHead(body === undefined ? 404 : 200, { 'content-type': type })
    response.end(body)
  }
  const servers = [createHttpServer(answer), createHttpsServer(CERTIFICATE, answer)]
  const ports: number[] = []
  for (const server of servers) {
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    ports.push((server.address() as AddressInfo).port)
  }
  const [http, https] = ports
  return {
    origin: `http://127.0.0.1:${http}`,
    secureOrigin: `https://localhost:${https}`,
    async stop() {
      for (const server of servers) {
        server.closeAllConnections()
        await new Promise((resolve) => server.close(resolve))
      }
    },
  }
}
