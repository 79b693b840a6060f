import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { canonicalJson, normalizeVersion, type Store } from '../src/index.js'
import { compareEntries, decodeEntry, type Entry, encodeEntry } from '../src/lattice/entry.js'
import { createHybridClock } from '../src/lattice/hlc.js'
import { compareStamps } from '../src/lattice/stamp.js'
import { bob, createDevices, lines, message } from './support/devices.js'

const stamp = fc.array(
  fc.oneof(fc.integer({ min: 0, max: 3 }), fc.double({ noNaN: true, noDefaultInfinity: true }), fc.string()),
  {
    minLength: 1,
    maxLength: 3,
  },
)
const entry: fc.Arbitrary<Entry> = fc.record({
  subject: fc.constant('1:bob'),
  register: fc.constantFrom('pin', 'x.note'),
  stamp,
  value: fc.json().map((text) => canonicalJson(JSON.parse(text), 'value')),
})

type State = ReadonlyMap<string, Entry>

function join(a: State, b: State): State {
  const joined = new Map(a)
  for (const [register, candidate] of b) {
    const known = joined.get(register)
    if (!known || compareEntries(known, candidate) < 0) joined.set(register, candidate)
  }
  return joined
}

const state = fc.array(entry, { maxLength: 6 }).map((entries) => {
  let all: State = new Map()
  for (const one of entries) all = join(all, new Map([[one.register, one]]))
  return all
})

const lookOf = (from: State): string => JSON.stringify([...from].sort(([a], [b]) => (a < b ? -1 : 1)))

describe('the lattice', () => {
  it('[L1] join is commutative, associative and idempotent', () => {
    fc.assert(
      fc.property(state, state, state, (a, b, c) => {
        expect(lookOf(join(a, b))).toBe(lookOf(join(b, a)))
        expect(lookOf(join(join(a, b), c))).toBe(lookOf(join(a, join(b, c))))
        expect(lookOf(join(a, a))).toBe(lookOf(a))
      }),
      { numRuns: 500 },
    )
  })

  it('[L2] the order of stamps is total: antisymmetric and transitive', () => {
    fc.assert(
      fc.property(stamp, stamp, stamp, (a, b, c) => {
        expect(Math.sign(compareStamps(a, b))).toBe(-Math.sign(compareStamps(b, a)) + 0)
        if (compareStamps(a, b) <= 0 && compareStamps(b, c) <= 0)
          expect(compareStamps(a, c)).toBeLessThanOrEqual(0)
      }),
      { numRuns: 1000 },
    )
  })

  it('[L2] numbers come before strings, a prefix first, strings by code unit', () => {
    expect(compareStamps([2], ['1'])).toBeLessThan(0)
    expect(compareStamps([2], [10])).toBeLessThan(0)
    expect(compareStamps(['10'], ['9'])).toBeLessThan(0)
    expect(compareStamps([1], [1, 0])).toBeLessThan(0)
    expect(compareStamps(['z'], ['ä'])).toBeLessThan(0)
  })

  it('[L2] stamps far in the future keep their order, whatever the time is here', () => {
    const now = Date.now()
    const inTenDays = [now + 864e6, 0, 'x']
    const inAMinute = [now + 61_000, 0, 'y']
    expect(compareStamps(inTenDays, inAMinute)).toBeGreaterThan(0)
    expect(compareStamps([now + 864e6 + 1, 0, 'a'], inTenDays)).toBeGreaterThan(0)
  })

  it('[L3] equal stamps are decided by the value, the same on every device', () => {
    const one = { stamp: [1], value: '{"until":1}' }
    const other = { stamp: [1], value: '{"until":2}' }
    expect(compareEntries(one, other)).toBeLessThan(0)
    expect(compareEntries(one, { ...one })).toBe(0)
  })

  it('[L4] canonical JSON sorts names, drops undefined members and escapes lone surrogates', () => {
    expect(canonicalJson({ b: 1, a: [undefined, { d: 2, c: undefined }] }, 'value')).toBe(
      '{"a":[null,{"d":2}],"b":1}',
    )
    expect(canonicalJson('a\ud83d', 'value')).toBe('"a\\ud83d"')
    expect(canonicalJson(new Array(2), 'value')).toBe('[null,null]')
    expect(canonicalJson(new Date(0), 'value')).toBe('"1970-01-01T00:00:00.000Z"')
  })

  it.each([
    ['a number that is none', Number.NaN],
    ['undefined', undefined],
    ['a function', () => {}],
    ['a map', new Map()],
    ['a big integer', 1n],
    ['a text that is too long', 'x'.repeat(65 * 1024)],
    ['what is nested too deep', JSON.parse('['.repeat(40) + ']'.repeat(40))],
  ])('[L4] refuses %s, naming the field', (_name, value) => {
    expect(() => canonicalJson(value, 'payload')).toThrow(/^payload/)
  })

  it('[L3] [L4] an entry survives being written and read, whatever is in it', () => {
    const name = fc.oneof(
      fc.string({ unit: 'binary', minLength: 1 }),
      fc.constantFrom('a\tb', 'a\\tb', 'a"b', '\n'),
    )
    const any = fc.record({
      subject: name,
      register: name,
      stamp,
      value: entry.chain((one) => fc.constant(one.value)),
    })
    fc.assert(
      fc.property(any, (one) => {
        const { subject, register, stamp: read, value } = decodeEntry(encodeEntry(one)) ?? {}
        expect({ subject, register, value }).toEqual({
          subject: one.subject,
          register: one.register,
          value: one.value,
        })
        expect(compareStamps(read ?? [], one.stamp)).toBe(0)
      }),
      { numRuns: 1000 },
    )
  })

  it('[L5] a clock rises when the wall clock stands still or falls, and above what it has seen', () => {
    let wall = 1000
    const clock = createHybridClock({ now: () => wall, random: Math.random })
    const stamps = [clock.next(), clock.next()]
    wall = 10
    stamps.push(clock.next())
    clock.observe(5000, 7)
    stamps.push(clock.next())
    for (let i = 1; i < stamps.length; i++) {
      expect(compareStamps(stamps[i - 1] ?? [], stamps[i] ?? [])).toBeLessThan(0)
    }
    expect(clock.highWater).toEqual({ ms: 5000, counter: 8 })
  })

  it('[L5] a clock goes on above its high-water mark, and does not follow a broken wall clock', () => {
    const clock = createHybridClock({ now: () => 2 ** 50, random: Math.random }, { ms: 9000, counter: 3 })
    expect(clock.next().slice(0, 2)).toEqual([9000, 4])
  })

  it('[L6] entries that are not valid or not known are kept, ignored, and never swept', () => {
    const devices = createDevices(1)
    const [store] = devices.stores as [Store]
    const strange = [
      '1:bob\tmute\t281474976710656,0,"x"\t{"until":1}',
      '1:bob\tfuture\t1\t"kept"',
      'nonsense',
      '1:bob\tread\t-1',
    ]
    store.doc.getArray<string>('e0').push(strange)
    const conversation = store.conversation(bob)
    expect(conversation.getSnapshot()).toMatchObject({ muted: false, readSeq: 0 })
    for (let i = 1; i <= 100; i++) conversation.markRead(i)
    conversation.mute()
    store.maintain()
    for (const line of strange) expect(lines(store)).toContain(line)
  })

  it('[L7] versions beyond 2^53 keep their digits and their order', () => {
    const versions = [
      '7',
      7n,
      7,
      '9007199254740991',
      '9007199254740992',
      '1204353600000000000',
      '18446744073709551615',
    ]
    const normal = versions.map((version) => normalizeVersion(version, 'version'))
    expect(normal.slice(0, 3)).toEqual([7, 7, 7])
    for (let i = 3; i < normal.length; i++) {
      expect(compareStamps([normal[i - 1] ?? 0], [normal[i] ?? 0])).toBeLessThan(0)
    }
    for (const bad of [-1, 1.5, 2 ** 60, '-1', '1e3', '', '18446744073709551616', 'abc']) {
      expect(() => normalizeVersion(bad, 'version')).toThrow(/^version must be/)
    }
  })

  it('[L1] a register shows its greatest entry on every device, whoever wrote last', () => {
    const devices = createDevices(2)
    const [a, b] = devices.stores as [Store, Store]
    a.receive([message(1)])
    devices.sync()
    devices.now += 60_000
    a.conversation(bob).mute(devices.now + 1e9)
    devices.now -= 30_000
    b.conversation(bob).unmute()
    devices.sync()
    expect(a.conversation(bob).getSnapshot().mutedUntil).toBe(b.conversation(bob).getSnapshot().mutedUntil)
  })
})
