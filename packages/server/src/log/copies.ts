/**
 * The name of the value beside a room's log that repeats what is in the room's document. It goes whenever the log is
 * compacted: what was deleted from the document is to be found nowhere then.
 */
export const COPY_NAME = 'copy'
