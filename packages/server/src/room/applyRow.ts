import {
  checkIntegration,
  type DecodedUpdate,
  decodeUpdate,
  decodeUpdateInSteps,
  findGap,
  maxIntegrationSteps,
  ParleyError,
  splitUpdate,
} from '@parley/core'
import * as Y from 'yjs'
import type { LogRow } from '../log/logStore.js'
import { runInSlices, type Slices } from './slices.js'

/**
 * What became of a row of the log: `gap` if it builds on something that is not there. Where there is a reason it cannot be
 * applied; `isClean` says that the document is as it was before.
 */
export type RowOutcome = 'applied' | 'gap' | { readonly reason: string; readonly isClean: boolean }

/** How many steps the rows of a document took to integrate. */
export interface Effort {
  steps: number
}

/** How large an update is applied in one piece. */
const PIECE = { maxStructs: 1024, maxBytes: 256 * 1024 }
/** How many steps one piece may take: a part of what all of the update may. */
const MAX_PIECE_STEPS = 400_000

/** Applies what is already durable, or says why that cannot be. */
export function applyRow(doc: Y.Doc, { update }: LogRow, effort: Effort = { steps: 0 }): RowOutcome {
  try {
    const decoded = decodeUpdate(update)
    if (findGap(doc, decoded)) return 'gap'
    effort.steps += checkIntegration(doc, decoded)
  } catch (error) {
    return failure(error, true)
  }
  try {
    Y.applyUpdate(doc, update, 'log')
    return 'applied'
  } catch (error) {
    return failure(error, false)
  }
}

/** Does what {@link applyRow} does, with pauses for the event loop where the row is large. */
export async function applyRowInSlices(
  doc: Y.Doc,
  row: LogRow,
  effort: Effort,
  slices: Slices,
): Promise<RowOutcome> {
  if (row.update.byteLength <= PIECE.maxBytes / 4) return applyRow(doc, row, effort)
  let decoded: DecodedUpdate
  try {
    decoded = await runInSlices(decodeUpdateInSteps(row.update), slices)
    if (findGap(doc, decoded)) return 'gap'
  } catch (error) {
    return failure(error, true)
  }
  let isClean = true
  try {
    const most = maxIntegrationSteps(decoded.structs.length)
    let taken = 0
    for (const piece of splitUpdate(decoded, PIECE)) {
      const paused = slices()
      if (paused) await paused
      taken += checkIntegration(
        doc,
        decodeUpdate(piece),
        Math.min(Math.max(0, most - taken), MAX_PIECE_STEPS),
      )
      isClean = false
      Y.applyUpdate(doc, piece, 'log')
    }
    effort.steps += taken
    return 'applied'
  } catch (error) {
    return failure(error, isClean)
  }
}

function failure(error: unknown, isClean: boolean): RowOutcome {
  if (error instanceof ParleyError) return { reason: error.message, isClean }
  return {
    reason: `cannot be applied: ${error instanceof Error ? error.message : String(error)}`,
    isClean: false,
  }
}
