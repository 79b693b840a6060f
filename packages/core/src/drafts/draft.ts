import type * as Y from 'yjs'
import { checkId } from '../conversation/channel.js'
import { invalidArgument, ParleyError } from '../errors.js'
import { canonicalJson, canonicalText } from '../json/canonicalJson.js'
import type { Json } from '../json/json.js'
import type { StoreCore } from '../store/core.js'
import type { Writer } from '../store/writer.js'
import {
  beginDraft,
  clearDraft,
  continueDraft,
  importEpisode,
  NO_BODY,
  shownDraft,
  touchDraft,
  unfinishedPart,
  wholeDraft,
} from './composing.js'
import { canBeSent, contentDigest, type DraftContent, hasContent, readBody } from './content.js'
import { NO_CHARACTERS } from './coverage.js'
import { encodeAct, finishingActs, readExtras } from './draftFacts.js'
import {
  type DraftText,
  type DraftView,
  type KnownEpisode,
  type MessageEdit,
  NO_DRAFTS,
  parseSubmissionId,
  submissionId,
} from './draftView.js'
import { draftSubject } from './episode.js'
import { checkImported, type ImportedDraft } from './importedDraft.js'
import { channelOf, type DraftPlace, parsePlace } from './place.js'
import { smallestEdit, type TextEdit } from './smallestEdit.js'
import { acknowledgeSend, failSend, type SubmissionRef } from './submission.js'
import { applyEdit, checkDraftLength, checkEdit, wellFormed } from './textEdit.js'

/** What was in the composer when it was sent: what the app hands to its server. */
export interface Submission extends DraftContent {
  /**
   * Names this sending. Use it as the message's `clientMsgNo`: two devices that send the same content of the same draft give
   * it the same name, so that a server can drop the second one, and the message coming back acknowledges it. Any difference
   * in the content, a single attachment too, makes another name.
   */
  readonly submissionId: string
  /** The message to change, for an edit of `ConversationHandle.edit`; `null` for a new message. */
  readonly messageSeq: number | null
}

/** An input field, for new messages or for the edit of one, and the drafts beside it. */
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
   * Finishes the draft with what is in it now. `null` if there is nothing to send, as when Enter is pressed twice: neither
   * characters other than white space, nor an embed, nor an attachment.
   *
   * @throws ParleyError with code `draft-too-long` for a text that an editor made longer than `MAX_DRAFT_LENGTH`
   */
  send: () => Submission | null
  /** The server has it. Any conversation's draft can be told. @throws ParleyError with code `not-found` if no such submission is known */
  acknowledged: (submissionId: string) => void
  /** It did not arrive; all of it comes back into the draft. @throws ParleyError with code `not-found` */
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
   * @returns false if a draft of this name was taken in before, or there is nothing in it
   * @throws ParleyError with code `invalid-argument`, or `draft-too-long`; nothing is changed then
   */
  import: (draft: ImportedDraft) => boolean
  /** What is in the composer as the document has it, without regard to what this device happens to show. */
  shared: () => DraftText | null
  /** Takes a draft off without throwing anything away: all of it is offered as recovered, to be restored. @throws ParleyError `not-found` */
  setAside: (draftId: string) => void
  /** Throws a recovered draft, or one of those beside, away. @throws ParleyError with code `not-found` */
  dismiss: (draftId: string) => void
}

/** Creates the field of a place. */
export function createDraft(core: StoreCore, place: DraftPlace): Draft {
  const { clock, conversations, drafts } = core
  const channel = channelOf(place)
  const messageSeq = parsePlace(place)?.messageSeq ?? null
  const shown = (): KnownEpisode | null => shownDraft(core, place)
  const touch = (writer: Writer, known: KnownEpisode): void => touchDraft(core, writer, known)

  const begin = (writer: Writer, text: string): KnownEpisode =>
    beginDraft(core, writer, place, { body: { text, delta: null }, members: [] })

  const write = (known: KnownEpisode | null, change: TextEdit): void =>
    core.transact((writer) => {
      if (known) {
        applyEdit(known.episode.text, change)
        touch(writer, known)
      } else touch(writer, begin(writer, change.insert))
    })

  const setMember = (register: string, value: Json, field: string): void => {
    const text = canonicalJson(value, field)
    core.transact((writer) => {
      const known = shown() ?? begin(writer, '')
      touch(writer, known)
      writer.putText(draftSubject(known.episode.id), register, clock.next(), text)
    })
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
    const isFree = drafts.place(place).composer === null
    core.transact((writer) => {
      const begun = continueDraft(core, writer, known, unfinishedPart(known))
      if (begun && isFree) drafts.choose(place, { ref: begun.episode.ref, held: true })
    })
  }

  /** After sending and clearing the field is empty, and stays so until the user types or turns away. */
  const empty = (): void => drafts.choose(place, { ref: null, held: true })

  /** Takes a draft that the user put away out of the field, so that it is not continued when something arrives. */
  const drop = ({ episode }: KnownEpisode): void => {
    const choice = drafts.choice(place)
    if (choice?.ref !== episode.ref) return
    if (choice.held) empty()
    else drafts.choose(place, undefined)
  }

  const find = (draftId: string): KnownEpisode => {
    const known = drafts.find(draftId)
    if (known?.episode.place === place) return known
    throw new ParleyError('not-found', `draftId ${draftId} is not known in this conversation`, {
      field: 'draftId',
    })
  }

  const snapshot = (): DraftView => {
    const view = conversations.get(channel).drafts
    if (messageSeq === null) return view
    const edit = view.edits.find((candidate) => candidate.messageSeq === messageSeq)
    return edit ? asView(edit) : NO_DRAFTS
  }

  return {
    getSnapshot: snapshot,
    subscribe(listener) {
      let last = snapshot()
      return conversations.onConversation(channel, () => {
        const next = snapshot()
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
        const begun = beginDraft(core, writer, place, { body: NO_BODY, members: [] })
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
      const choice = drafts.choice(place)
      drafts.choose(place, known ? { ref: known.episode.ref, held: false } : undefined)
      if (!choice?.held) return
      const isDraft =
        known && hasContent({ ...readBody(known.episode.text), ...readExtras(known.facts.members) })
      if (isDraft) {
        core.transact((writer) =>
          writer.put(draftSubject(known.episode.id), 'left', clock.next(), core.deviceName),
        )
      }
      core.draftsChanged(channel)
    },
    send() {
      const known = shown()
      if (!known) return null
      const { episode, facts } = known
      const part = wholeDraft(known)
      const content: DraftContent = { ...readBody(episode.text), ...readExtras(part.members) }
      if (!canBeSent(content)) return null
      checkDraftLength(episode.text.length)
      const member = `${facts.sends.length}${contentDigest(content)}`
      core.transact((writer) => {
        const [ms, counter] = clock.next()
        const act = [ms, counter, ...encodeAct(part.covers, part.members, 'values')]
        writer.putText(draftSubject(episode.id), `send.${member}`, [0], canonicalText(act, 'send'))
        empty()
      })
      return { submissionId: submissionId(episode.id, member), messageSeq, ...content }
    },
    acknowledged: (id) => void settle(id, acknowledgeSend),
    sendFailed(id) {
      const { draftId } = settle(id, failSend)
      const sentIn = drafts.placeOf(draftId) ?? place
      // An empty field gives way to the text that comes back.
      if (drafts.choice(sentIn)?.ref !== null) return
      drafts.choose(sentIn, undefined)
      core.draftsChanged(channelOf(sentIn))
    },
    clear() {
      const known = shown()
      core.transact((writer) => {
        const part = known && wholeDraft(known)
        if (part && (part.covers.size > 0 || part.members.length > 0)) clearDraft(core, writer, known, part)
        empty()
      })
      core.draftsChanged(channel)
    },
    choose(draftId) {
      const known = find(draftId)
      if (finishingActs(known.facts).length > 0) return restore(draftId)
      core.transact((writer) => {
        drafts.choose(place, { ref: known.episode.ref, held: true })
        writer.put(draftSubject(known.episode.id), 'edited', clock.next(), core.deviceName)
      })
      core.draftsChanged(channel)
    },
    restore,
    import(draft) {
      const { draftId, device, editedAt, body, members } = checkImported(draft)
      if (isImported(draftId)) return false
      if (!hasContent({ ...body, ...readExtras(members) })) return false
      core.transact((writer) => {
        const { episode } = importEpisode(
          core,
          writer,
          place,
          { id: draftId, device, editedAt },
          { body, members },
        )
        // Its registers outlive the draft, so that it is not taken in again after a clean-up.
        writer.put(draftSubject(draftId), 'imported', [0], contentDigest(readBody(episode.text)))
      })
      return true
    },
    shared: () => drafts.place(place, 'shared').composer,
    setAside(draftId) {
      const known = find(draftId)
      core.transact((writer) => {
        clearDraft(core, writer, known, { covers: NO_CHARACTERS, members: [] })
        drop(known)
      })
    },
    dismiss(draftId) {
      const known = find(draftId)
      core.transact((writer) => {
        const part = finishingActs(known.facts).length > 0 ? unfinishedPart(known) : wholeDraft(known)
        clearDraft(core, writer, known, part)
        drop(known)
      })
    },
  }
}

/** The snapshots of edits, so that one that did not change stays the same object. */
const editViews = new WeakMap<MessageEdit, DraftView>()

function asView(edit: MessageEdit): DraftView {
  let view = editViews.get(edit)
  if (!view) {
    const { composer, others, recovered, sending } = edit
    view = { composer, others, recovered, sending, edits: [] }
    editViews.set(edit, view)
  }
  return view
}
