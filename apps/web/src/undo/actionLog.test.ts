import { describe, expect, it } from 'vitest'
import { createToasts } from '../toast/toasts.js'
import { createActionLog } from './actionLog.js'

function open() {
  const toasts = createToasts()
  const log = createActionLog(toasts)
  const undone: string[] = []
  const act = (label: string): void => log.done(label, () => undone.push(label))
  return { toasts, log, undone, act }
}

describe('the action log', () => {
  it('[WEB30] undoes the newest action first, each once', () => {
    const { log, undone, act } = open()
    for (const label of ['pinned', 'muted', 'archived']) act(label)
    for (let times = 0; times < 5; times++) log.undo()
    expect(undone).toEqual(['archived', 'muted', 'pinned'])
    expect(log.getSnapshot()).toEqual([])
  })

  it('[WEB30] undoes actions whose message has gone, or made room for others', () => {
    const { toasts, log, undone, act } = open()
    for (const label of ['one', 'two', 'three', 'four', 'five']) act(label)
    toasts.close()
    for (let times = 0; times < 5; times++) log.undo()
    expect(undone).toEqual(['five', 'four', 'three', 'two', 'one'])
  })

  it('[WEB30] takes an action away that its message undid', () => {
    const { toasts, log, undone, act } = open()
    for (const label of ['one', 'two']) act(label)
    const [first] = toasts.getSnapshot()
    if (first) toasts.act(first.id)
    expect(undone).toEqual(['one'])
    expect(log.getSnapshot().map(({ label }) => label)).toEqual(['two'])
    log.undo()
    log.undo()
    expect(undone).toEqual(['one', 'two'])
  })

  it('[WEB30] takes the message of an undone action away and says what was undone', () => {
    const { toasts, log, act } = open()
    act('bob archived')
    log.undo()
    expect(toasts.getSnapshot().map(({ text, action }) => [text, action])).toEqual([
      ['Undone: bob archived', undefined],
    ])
  })
})
