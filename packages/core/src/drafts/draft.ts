import * as buffer from 'lib0/buffer'
import * as sha256 from 'lib0/hash/sha256'
import * as string from 'lib0/string'
import type * as Y from 'yjs'
import { type ChannelKey, checkId } from '../conversation/channel.js'
import { invalidArgument, ParleyError } from '../errors.js'
import { canonicalJson } from '../json/canonicalJson.js'
import type { Json } from '../json/json.js'
import type { StoreCore } from '../store/core.js'
import type { Writer } from '../store/writer.js'
import {
  beginDraft,
  clearDraft,
  continueDraft,
  importEpisode,
  shownDraft,
  touchDraft,
  unfinishedPart,
} from './composing.js'
import { type Coverage, coverageOf, encodeCoverage } from './coverage.js'
import { finishingActs } from './draftFacts.js'
import {
  arrangeDrafts,
  type DraftText,
  type DraftView,
  type KnownEpisode,
  parseSubmissionId,
  submissionId,
} from './draftView.js'
import { draftSubject } from './episode.js'
import { smallestEdit, type TextEdit } from './smallestEdit.js'
import { acknowledgeSend, encodeSend, failSend, type SubmissionRef } from './submission.js'
import { applyEdit, checkDraftLength, checkEdit, wellFormed } from './textEdit.js'

/** What was in the composer when it was sent: what the app hands to its server. */
export interface Submission {
  /**
   * Names this sending. Use it as the message's `clientMsgNo`: two devices that send the same draft give it the same name,
   * so that a server can drop the second one, and the message coming back acknowledges it.
   */
  readonly submissionId: string
  readonly text: string
  readonly reply: Json
  readonly mentions: Readonly<Record<string, Json>>
  readonly attachments: Readonly<Record<string, Json>>
}

/** The input field of one conversation and the drafts beside it. */
export interface Draft {
  getSnapshot: () => DraftView
  subscribe: (listener: () => void) => () => void
  /**
   * Makes `text` the text of the composer, by the smallest edit, so that what another device types into the same draft at
   * the same time stays. Begins a draft if there is none. Until `leave`, no other draft gets into the composer.
   *
   * @param caret where the caret stands in `text`; it tells which of several equal letters was typed
   * @throws ParleyError with code `draft-too-long` if it is longer than `MAX_DRAFT_LENGTH`; nothing is changed then
   */
  set: (text: string, caret?: number) => void
  /**
   * Replaces characters of the composer's text, for an input that knows what was typed: cheaper than `set`, which has to
   * compare. Places count UTF-16 code units of the snapshot's `text`; embeds are not counted, and stay.
   *
   * @throws ParleyError with code `invalid-argument` for a place outside of the text or inside of a surrogate pair,
   * `draft-too-long` as for `set`
   * @example
   * ```ts
   * import { createStore } from '@parley/core'
   *
   * const { draft } = createStore({ userId: 'alice' }).conversation({ channelId: 'bob', channelType: 1 })
   * draft.edit({ index: 0, remove: 0, insert: 'Hello Bib' })
   * draft.edit({ index: 7, remove: 1, insert: 'o' })
   * draft.getSnapshot().composer?.text // 'Hello Bob'
   * ```
   */
  edit: (edit: TextEdit) => void
  /**
   * Checks the length of the composer's text, for editors that are bound to the Yjs text, which takes any length. Call it
   * with the length of a paste before inserting it, or without after an edit.
   *
   * @param added how many characters are about to be added; 0 by default
   * @throws ParleyError with code `draft-too-long`
   */
  checkLength: (added?: number) => void
  /**
   * The Yjs text in the composer, for editors that bind to one; begins a draft if there is none. Ask again after the
   * snapshot's `composer.draftId` changed: a draft that was sent or cleared elsewhere is bound no longer.
   */
  text: () => Y.Text
  setReply: (reply: Json) => void
  /** Notes whom the text mentions; `null` takes a mention off. */
  setMention: (uid: string, mention: Json) => void
  /** Notes what is attached, by reference: an upload's address, not its bytes; `null` takes it off. */
  setAttachment: (attachmentId: string, attachment: Json) => void
  /** The user turned away: the list may now be sorted by this draft, and the composer may change. */
  leave: () => void
  /**
   * Finishes the draft with what is in it now. `null` if there is nothing to send, as when Enter is pressed twice.
   *
   * @throws ParleyError with code `draft-too-long` for a text that an editor made longer than `MAX_DRAFT_LENGTH`
   */
  send: () => Submission | null
  /** The server has it. Any conversation's draft can be told. @throws ParleyError with code `not-found` if no such submission is known */
  acknowledged: (submissionId: string) => void
  /** It did not arrive; the text comes back into the draft. @throws ParleyError with code `not-found` */
  sendFailed: (submissionId: string) => void
  /** Throws away what is in the composer now; what another device types into it meanwhile is recovered. */
  clear: () => void
  /** Takes one of the drafts beside into the composer. @throws ParleyError with code `not-found` */
  choose: (draftId: string) => void
  /** Makes a recovered draft a draft again, and chooses it if the composer is empty. @throws ParleyError `not-found` */
  restore: (draftId: string) => void
  /**
   * Takes in a draft that exists elsewhere, under a name that everybody gives it: several devices that do so make one
   * draft of it, once, whatever became of it meanwhile. It gets into the composer where no draft was edited later.
   *
   * @returns false if a draft of this name was taken in before, or the text is blank
   */
  import: (draft: ImportedDraft) => boolean
  /** What is in the composer as the document has it, without regard to what this device happens to show. */
  shared: () => DraftText | null
  /** Takes a draft off without throwing anything away: all of it is offered as recovered. @throws ParleyError `not-found` */
  setAside: (draftId: string) => void
  /** Throws a recovered draft, or one of those beside, away. @throws ParleyError with code `not-found` */
  dismiss: (draftId: string) => void
}

/** A draft from elsewhere, see `Draft.import`. */
export interface ImportedDraft {
  /** Derived from where it comes from, so that every device derives the same: 1 to 200 characters. */
  readonly draftId: string
  readonly text: string
  /** When it was edited, in milliseconds since 1970; now if that is not known. */
  readonly editedAt?: number
  /** Who has it, as in "another draft, from Phone". */
  readonly device?: string
}

/** Creates the composer of a channel. */
export function createDraft(core: StoreCore, channel: ChannelKey): Draft {
  const { clock, conversations, drafts } = core
  const shown = (): KnownEpisode | null => shownDraft(core, channel)
  const touch = (writer: Writer, known: KnownEpisode): void => touchDraft(core, writer, known)

  const edit = (action: (writer: Writer, known: KnownEpisode) => void): void =>
    core.transact((writer) => {
      const known = shown() ?? beginDraft(core, channel, '')
      touch(writer, known)
      action(writer, known)
    })

  const write = (known: KnownEpisode | null, change: TextEdit): void =>
    core.transact((writer) => {
      if (known) {
        applyEdit(known.episode.text, change)
        touch(writer, known)
      } else touch(writer, beginDraft(core, channel, change.insert))
    })

  const setMember = (register: string, value: Json, field: string): void => {
    const text = canonicalJson(value, field)
    edit((writer, { episode }) => writer.putText(draftSubject(episode.id), register, clock.next(), text))
  }

  const settle = (
    id: string,
    how: (core: StoreCore, writer: Writer, ref: SubmissionRef) => boolean,
  ): SubmissionRef => {
    const ref = parseSubmissionId(id)
    if (ref && core.transact((writer) => how(core, writer, ref))) return ref
    throw new ParleyError('not-found', `submissionId ${id} is not known here`, { field: 'submissionId' })
  }

  const isImported = (draftId: string): boolean =>
    drafts.find(draftId) !== null || core.log.index.get(draftSubject(draftId), 'imported') !== undefined

  const restore = (draftId: string): void => {
    const known = find(draftId)
    const isFree = drafts.view(channel).composer === null
    core.transact((writer) => {
      const begun = continueDraft(core, writer, known, unfinishedPart(known))
      if (begun && isFree) drafts.choose(channel, { ref: begun.episode.ref, held: true })
    })
  }

  /** After sending and clearing the field is empty, and stays so until the user types or turns away. */
  const empty = (): void => drafts.choose(channel, { ref: null, held: true })

  const find = (draftId: string): KnownEpisode => {
    const known = drafts.find(draftId)
    if (known?.episode.channel === channel) return known
    throw new ParleyError('not-found', `draftId ${draftId} is not known in this conversation`, {
      field: 'draftId',
    })
  }

  return {
    getSnapshot: () => conversations.get(channel).drafts,
    subscribe(listener) {
      let last = conversations.get(channel).drafts
      return conversations.onConversation(channel, () => {
        const next = conversations.get(channel).drafts
        if (next === last) return
        last = next
        listener()
      })
    },
    set(text, caret) {
      if (typeof text !== 'string') invalidArgument('text', 'a string')
      const next = wellFormed(text)
      const known = shown()
      const before = known?.episode.text.toString() ?? ''
      const change = smallestEdit(before, next, caret)
      if (!change) return
      // A draft that an editor made too long may still be shortened.
      if (next.length > before.length) checkDraftLength(next.length)
      write(known, change)
    },
    edit({ index, remove, insert }) {
      const known = shown()
      const change = { index, remove, insert: typeof insert === 'string' ? wellFormed(insert) : insert }
      checkEdit(known?.episode.text.toString() ?? '', change)
      if (remove > 0 || insert !== '') write(known, change)
    },
    checkLength(added = 0) {
      if (!Number.isInteger(added) || added < 0) invalidArgument('added', 'a number of characters, 0 or more')
      checkDraftLength((shown()?.episode.text.length ?? 0) + added)
    },
    text() {
      const known = shown()
      if (known) return known.episode.text
      return core.transact((writer) => {
        const begun = beginDraft(core, channel, '')
        touch(writer, begun)
        return begun.episode.text
      })
    },
    setReply: (reply) => setMember('reply', reply, 'reply'),
    setMention(uid, mention) {
      checkId(uid, 'uid')
      setMember(`mentioned.${uid}`, mention, 'mention')
    },
    setAttachment(attachmentId, attachment) {
      checkId(attachmentId, 'attachmentId')
      setMember(`attachment.${attachmentId}`, attachment, 'attachment')
    },
    leave() {
      const known = shown()
      const choice = drafts.choice(channel)
      const hasContent = drafts.view(channel).composer !== null
      drafts.choose(channel, known ? { ref: known.episode.ref, held: false } : undefined)
      if (!choice?.held) return
      if (known && hasContent) {
        core.transact((writer) => {
          const { episode } = known
          writer.put(draftSubject(episode.id), 'edited', clock.next(), core.deviceName)
          writer.put(draftSubject(episode.id), 'left', clock.next())
        })
      } else core.draftsChanged(channel)
    },
    send() {
      const known = shown()
      const composer = drafts.view(channel).composer
      if (
        !known ||
        !composer ||
        (composer.text.trim() === '' && Object.keys(composer.attachments).length === 0)
      ) {
        return null
      }
      const { episode, facts } = known
      const attempt = facts.sends.length
      const member = `${attempt}${digest(composer.text)}`
      const covers = encodeCoverage(coverageOf(episode.text))
      checkDraftLength(episode.text.length)
      const value = encodeSend(clock.next(), covers, composer.text)
      core.transact((writer) => {
        writer.putText(draftSubject(episode.id), `send.${member}`, [0], value)
        empty()
      })
      const { text, reply, mentions, attachments } = composer
      return { submissionId: submissionId(episode.id, member), text, reply, mentions, attachments }
    },
    acknowledged: (id) => void settle(id, acknowledgeSend),
    sendFailed(id) {
      const { draftId } = settle(id, failSend)
      const sentIn = drafts.find(draftId)?.episode.channel ?? channel
      // An empty field gives way to the text that comes back.
      if (drafts.choice(sentIn)?.ref !== null) return
      drafts.choose(sentIn, undefined)
      core.draftsChanged(sentIn)
    },
    clear() {
      const known = shown()
      if (!known) {
        empty()
        core.draftsChanged(channel)
        return
      }
      core.transact((writer) => {
        clearDraft(core, writer, known, coverageOf(known.episode.text))
        empty()
      })
    },
    choose(draftId) {
      const known = find(draftId)
      if (finishingActs(known.facts).length > 0) return restore(draftId)
      drafts.choose(channel, { ref: known.episode.ref, held: true })
      core.transact((writer) =>
        writer.put(draftSubject(known.episode.id), 'edited', clock.next(), core.deviceName),
      )
      core.draftsChanged(channel)
    },
    restore,
    import({ draftId, text, editedAt, device = '' }) {
      checkId(draftId, 'draftId')
      if (typeof text !== 'string') invalidArgument('text', 'a string')
      checkDraftLength(text.length)
      if (text.trim() === '' || isImported(draftId)) return false
      const initialText = wellFormed(text)
      core.transact((writer) => {
        // Its registers outlive the draft, so that it is not taken in again after a clean-up.
        writer.putText(draftSubject(draftId), 'imported', [0], JSON.stringify(initialText))
        importEpisode(core, channel, { id: draftId, device, editedAt }, initialText)
      })
      return true
    },
    shared: () => arrangeDrafts(drafts.episodes(channel)).composer,
    setAside(draftId) {
      const known = find(draftId)
      core.transact((writer) => clearDraft(core, writer, known, NO_CHARACTERS))
    },
    dismiss(draftId) {
      const known = find(draftId)
      core.transact((writer) => clearDraft(core, writer, known, unfinishedPart(known)))
    },
  }
}

const NO_CHARACTERS: Coverage = new Map()

/** Twelve letters and digits that stand for a text. */
function digest(text: string): string {
  const hash = buffer.toBase64UrlEncoded(sha256.digest(string.encodeUtf8(text)))
  return hash.replace(/[^a-zA-Z0-9]/g, '').slice(0, 12)
}
