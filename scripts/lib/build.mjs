import { join } from 'node:path'
import { root, runTool } from './run.mjs'

export const buildPackages = () => runTool('tsc', ['-b'])

export const buildWeb = () =>
  runTool('vite', ['build', '--logLevel', 'warn'], { cwd: join(root, 'apps/web') })
