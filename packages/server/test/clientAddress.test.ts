import { IncomingMessage } from 'node:http'
import { Socket } from 'node:net'
import { describe, expect, it } from 'vitest'
import { addressKey, createClientAddress } from '../src/access/clientAddress.js'

/** A request from an address, with what it says of where it was before. */
function request(remoteAddress: string | undefined, forwarded?: string): IncomingMessage {
  const socket = new Socket()
  Object.defineProperty(socket, 'remoteAddress', { value: remoteAddress })
  const message = new IncomingMessage(socket)
  if (forwarded !== undefined) message.headers['x-forwarded-for'] = forwarded
  return message
}

describe("the client's address", () => {
  it('[A10] is the other end of the connection where no proxy is trusted, whatever a header says', () => {
    const addressOf = createClientAddress([])
    expect(addressOf(request('192.0.2.1', '198.51.100.7'))).toBe('192.0.2.1')
    expect(addressOf(request('::ffff:192.0.2.1', '198.51.100.7'))).toBe('192.0.2.1')
    expect(addressOf(request(undefined, '198.51.100.7'))).toBe(undefined)
  })

  it('[A10] is what trusted proxies tell, and never what somebody before them wrote', () => {
    const addressOf = createClientAddress(['10.0.0.0/8', 'loopback', 'fd00::/8'])
    expect(addressOf(request('10.0.0.1', '198.51.100.7'))).toBe('198.51.100.7')
    expect(addressOf(request('::ffff:10.0.0.1', '198.51.100.7'))).toBe('198.51.100.7')
    expect(addressOf(request('fd00::1', '2001:db8::7'))).toBe('2001:db8::7')
    expect(addressOf(request('10.0.0.1', '203.0.113.9, 198.51.100.7, 10.0.0.2'))).toBe('198.51.100.7')
    expect(addressOf(request('192.0.2.1', '198.51.100.7'))).toBe('192.0.2.1')
    expect(addressOf(request('10.0.0.1'))).toBe('10.0.0.1')
    for (const garbage of ['', 'unknown', 'x'.repeat(10_000), '<script>', ',,,', '198.51.100.7, unknown'])
      expect(addressOf(request('10.0.0.1', garbage))).toBe('10.0.0.1')
  })

  it('[A10] refuses proxies that are no address', () => {
    for (const trusted of ['proxy.example', '10.0.0.0/99', '', '*'])
      expect(() => createClientAddress([trusted])).toThrow(/trustProxy must hold/)
  })

  it('[A10] counts an IPv6 customer once, however many addresses he uses', () => {
    const same = [
      '2001:db8:0:7::1',
      '2001:db8::7:1:2:3:4',
      '2001:0DB8:0:7:ffff:ffff:ffff:ffff',
      '2001:db8:0:7::1%eth0',
    ]
    expect(new Set(same.map(addressKey))).toEqual(new Set(['2001:db8:0:7::/64']))
    expect(addressKey('::1')).toBe('0:0:0:0::/64')
    expect(addressKey('64:ff9b::192.0.2.1')).toBe('64:ff9b:0:0::/64')
    expect(addressKey('2001:db8:0:8::1')).not.toBe(addressKey('2001:db8:0:7::1'))
    expect(addressKey('192.0.2.1')).toBe('192.0.2.1')
  })
})
