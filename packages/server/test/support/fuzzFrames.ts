import { encodeAcknowledgeRequest, encodeToken } from '@parley/core'
import * as encoding from 'lib0/encoding'
import * as Y from 'yjs'
import { syncMessage } from './harness.js'
import type { Random } from './random.js'

/** Makes one frame after the other. */
export type FrameSource = () => Uint8Array<ArrayBuffer>

/** Types of messages, of which anything is read at all. */
const TYPES = [0, 1, 3, 112, 113]

/** Bytes of any kind; half of them begin as a message does. */
export function randomFrames(random: Random): FrameSource {
  return () => {
    const frame = random.bytes(random.below(80))
    if (frame.length > 2 && random.once(2)) frame.set([random.pick(TYPES), random.below(3), random.below(80)])
    return frame
  }
}

/** What honest clients send, cut off, with bits that flipped, bytes that doubled, or something of another one in it. */
export function damagedFrames(random: Random): FrameSource {
  const honest = honestFrames()
  const damages: Array<(frame: Uint8Array) => Uint8Array> = [
    (frame) => frame.slice(0, random.below(frame.length)),
    (frame) => {
      const flipped = frame.slice()
      for (let left = 1 + random.below(4); left > 0; left--) {
        const at = random.below(flipped.length)
        flipped[at] = (flipped[at] ?? 0) ^ (1 << random.below(8))
      }
      return flipped
    },
    (frame) => {
      const at = random.below(frame.length)
      return Uint8Array.from([...frame.slice(0, at), ...frame.slice(Math.max(0, at - 1 - random.below(8)))])
    },
    (frame) => {
      const other = random.pick(honest)
      return Uint8Array.from([
        ...frame.slice(0, random.below(frame.length)),
        ...other.slice(random.below(other.length)),
      ])
    },
  ]
  return () => new Uint8Array(random.pick(damages)(random.pick(honest)))
}

/** Frames of a document with all that Yjs has: text with formats and embeds, arrays, maps, types in types, deletions. */
function honestFrames(): Uint8Array[] {
  const frames: Uint8Array[] = [
    encodeAcknowledgeRequest(1),
    encodeToken('a.token.of-somebody'),
    Uint8Array.of(3),
  ]
  const doc = new Y.Doc()
  doc.clientID = 1
  const steps = [
    () => doc.getText('t').insert(0, 'some text 🙂'),
    () => doc.getText('t').format(2, 4, { bold: true }),
    () => doc.getText('t').insertEmbed(3, { image: 'x' }),
    () => doc.getText('t').delete(1, 3),
    () => doc.getArray('e0').push(['subject\tregister\t[1]\t"value"', 7, null, { a: [1, 2] }]),
    () => doc.getArray('e0').push([new Uint8Array([1, 2, 3])]),
    () => doc.getArray('e0').delete(0, 2),
    () => doc.getMap('m').set('key', 'first'),
    () => doc.getMap('m').set('key', new Y.Map([['inner', new Y.Text('deep')]])),
    () => doc.getMap('m').delete('key'),
    () => doc.getXmlFragment('x').insert(0, [new Y.XmlElement('p')]),
  ]
  for (const step of steps) {
    const before = Y.encodeStateVector(doc)
    step()
    frames.push(syncMessage(0, before), syncMessage(2, Y.encodeStateAsUpdate(doc, before)))
    frames.push(syncMessage(1, Y.encodeStateAsUpdate(doc)))
  }
  const awareness = encoding.createEncoder()
  encoding.writeVarUint(awareness, 1)
  encoding.writeVarUint(awareness, 1)
  encoding.writeVarUint(awareness, 5)
  encoding.writeVarString(awareness, '{"cursor":1}')
  const payload = encoding.toUint8Array(awareness)
  frames.push(Uint8Array.from([1, payload.byteLength, ...payload]))
  return frames
}

/** What each frame of {@link misleadingFrames} may refer to is about as large as this. */
const CLIENTS = 5
const CLOCKS = 12

/**
 * Updates that are encoded as they should be, and say what they should not: clocks that are taken or leave a gap, neighbours
 * and parents that are missing, of another kind, or the item itself, and deletions of what is not there.
 */
export function misleadingFrames(random: Random): FrameSource {
  const { writeVarUint, writeVarString } = encoding
  const clientOf = (): number => 1 + random.below(CLIENTS)
  const writeId = (encoder: encoding.Encoder): void => {
    writeVarUint(encoder, clientOf())
    writeVarUint(encoder, random.below(CLOCKS))
  }
  const contents: Array<(encoder: encoding.Encoder) => void> = [
    (encoder) => writeVarUint(encoder, 1 + random.below(3)),
    (encoder) => {
      writeVarUint(encoder, 1)
      writeVarString(encoder, '{"a":1}')
    },
    (encoder) => encoding.writeVarUint8Array(encoder, random.bytes(random.below(5))),
    (encoder) => writeVarString(encoder, random.pick(['a', 'bc', '🙂', 'x'.repeat(50)])),
    (encoder) => writeVarString(encoder, '{"embed":1}'),
    (encoder) => {
      writeVarString(encoder, 'bold')
      writeVarString(encoder, 'true')
    },
    (encoder) => {
      const type = random.below(7)
      writeVarUint(encoder, type)
      if (type === 3 || type === 5) writeVarString(encoder, 'p')
    },
    (encoder) => {
      writeVarUint(encoder, 1)
      encoding.writeAny(encoder, random.pick([1, 'text', null, { deep: [true] }]))
    },
  ]
  const writeItem = (encoder: encoding.Encoder): void => {
    const kind = random.below(contents.length)
    const [hasLeft, hasRight, hasKey] = [random.once(2), random.once(3), random.once(4)]
    encoding.writeUint8(
      encoder,
      (kind + 1) | (hasLeft ? 0x80 : 0) | (hasRight ? 0x40 : 0) | (hasKey ? 0x20 : 0),
    )
    if (hasLeft) writeId(encoder)
    if (hasRight) writeId(encoder)
    if (!hasLeft && !hasRight) {
      const isRoot = random.once(2)
      writeVarUint(encoder, isRoot ? 1 : 0)
      if (isRoot) writeVarString(encoder, random.pick(['t', 'e0', 'm', 'new']))
      else writeId(encoder)
      if (hasKey) writeVarString(encoder, random.pick(['key', '__proto__', '']))
    }
    contents[kind]?.(encoder)
  }
  return () => {
    const encoder = encoding.createEncoder()
    const clients = random.below(3)
    writeVarUint(encoder, clients)
    for (let left = clients; left > 0; left--) {
      const structs = 1 + random.below(3)
      writeVarUint(encoder, structs)
      writeId(encoder)
      for (let more = structs; more > 0; more--) {
        if (random.once(6)) {
          // What was collected, or is left out.
          encoding.writeUint8(encoder, random.pick([0, 10]))
          writeVarUint(encoder, 1 + random.below(4))
        } else writeItem(encoder)
      }
    }
    const deleters = random.below(3)
    writeVarUint(encoder, deleters)
    for (let left = deleters; left > 0; left--) {
      writeVarUint(encoder, clientOf())
      const ranges = random.below(3)
      writeVarUint(encoder, ranges)
      for (let more = ranges; more > 0; more--) {
        writeVarUint(encoder, random.below(CLOCKS))
        writeVarUint(encoder, random.once(50) ? 2 ** 40 : 1 + random.below(5))
      }
    }
    return new Uint8Array(syncMessage(random.pick([1, 2]), encoding.toUint8Array(encoder)))
  }
}
