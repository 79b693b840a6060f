import react from '@vitejs/plugin-react'
import { defineConfig } from 'vite'
import { samplePlugin } from './vite/samplePlugin.js'
import { serviceWorkerPlugin } from './vite/serviceWorkerPlugin.js'

export default defineConfig({
  plugins: [react(), samplePlugin(), serviceWorkerPlugin()],
  // Two copies of yjs in one page break its instanceof checks.
  resolve: { dedupe: ['yjs', 'react', 'react-dom'] },
  server: {
    // `pnpm dev` beside `parley serve`: the app from Vite, the sync from the server.
    proxy: { '/sync': { target: 'ws://127.0.0.1:4300', ws: true } },
  },
})
