import { runByHttp, runInPage } from './scenario.js'

/** What the app offers to whoever drives it: as a module, and in a page as a global. */
export interface App {
  readonly runByHttp: typeof runByHttp
  readonly runInPage: typeof runInPage
}

declare global {
  var parleyApp: App
}

globalThis.parleyApp = { runByHttp, runInPage }

export { runByHttp, runInPage }
