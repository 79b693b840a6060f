import { stringifyExactJson } from '@parley/wukong'

/** A body that is JSON already. */
export class JsonText {
  readonly text: string

  constructor(text: string) {
    this.text = text
  }
}

/** Writes a body as JSON; integers beyond 2^53 keep their digits. */
export function writeJson(payload: unknown): string {
  return payload instanceof JsonText ? payload.text : stringifyExactJson(payload)
}
