import type { Logger } from '../logger.js'
import type { Identify } from './caller.js'
import type { FullAnswers } from './fullAnswers.js'
import type { Recents } from './recents.js'
import type { Users } from './users.js'

/** What the endpoints share. */
export interface GatewayContext {
  readonly identify: Identify
  readonly users: Users
  readonly recents: Recents
  readonly fullAnswers: FullAnswers
  readonly logger: Logger
}
