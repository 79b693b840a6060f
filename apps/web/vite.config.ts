import react from '@vitejs/plugin-react'
import { defineConfig } from 'vite'

export default defineConfig({
  plugins: [react()],
  // Two copies of yjs in one page break its instanceof checks.
  resolve: { dedupe: ['yjs', 'react', 'react-dom'] },
})
