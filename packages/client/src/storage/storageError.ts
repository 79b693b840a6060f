/** What kept local data from being deleted. */
export type StorageErrorCode = 'delete-blocked' | 'delete-failed'

/** Local data could not be deleted: `delete-blocked` while another page holds the database open, else `delete-failed`. */
export class StorageError extends Error {
  override name = 'StorageError'
  readonly code: StorageErrorCode

  constructor(code: StorageErrorCode, message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause })
    this.code = code
  }
}
