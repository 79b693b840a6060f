import { type ClientOptions, createClient, databaseName } from '../../src/index.js'

interface StartOptions extends Pick<ClientOptions, 'userId' | 'url' | 'confirmLeave'> {
  /** What `getToken` returns. */
  readonly token?: string
}

declare global {
  interface Window {
    databaseName: typeof databaseName
    warnings: string[]
    start: (options: StartOptions) => Promise<void>
    draft: () => { set: (text: string) => void }
    text: () => string | undefined
  }
}

const BOB = { channelId: 'bob', channelType: 1 }

Object.assign(window, {
  createClient,
  databaseName,
  warnings: [],
  start({ token, ...options }: StartOptions): Promise<void> {
    const environment = {
      warn: (message: string) => window.warnings.push(message),
      reportError: () => {},
    }
    const getToken = token === undefined ? {} : { getToken: () => token }
    window.client = createClient({ ...options, ...getToken, environment })
    return window.client.ready
  },
  draft: () => window.client.store.conversation(BOB).draft,
  text: () => window.client.store.conversation(BOB).getSnapshot().drafts.composer?.text,
})
