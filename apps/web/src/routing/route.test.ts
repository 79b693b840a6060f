import { describe, expect, it } from 'vitest'
import { formatRoute, parseRoute, type Route } from './route.js'

describe('a route', () => {
  it.each<Route>([
    { page: 'chats', selected: null },
    { page: 'chats', selected: '2:ubuntu' },
    { page: 'chats', selected: '1:[-Haza-]/%?#' },
    { page: 'devices' },
    { page: 'about' },
  ])('comes back from its address: %o', (route) => {
    expect(parseRoute(formatRoute(route))).toEqual(route)
  })

  it.each(['', '#', '#/', '#/nonsense', '#/c/', '#/c/nonsense', '#/c/%E0%A4%A'])('%s is the list', (hash) => {
    expect(parseRoute(hash)).toEqual({ page: 'chats', selected: null })
  })
})
