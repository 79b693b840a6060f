import { createClient } from '../../src/index.js'

declare global {
  interface Window {
    createClient: typeof createClient
    client: ReturnType<typeof createClient>
  }
}

window.createClient = createClient
