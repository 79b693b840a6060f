import { WebSocket } from 'ws'
import { type Greeting, kindOf, NEWCOMER } from './frames.js'

/** A WebSocket at its very beginning: whoever listens from the next turn on may miss what comes with the first bytes. */
function begin(url: string): WebSocket {
  const socket = new WebSocket(url, { perMessageDeflate: false })
  socket.binaryType = 'nodebuffer'
  return socket
}

/** Opens a WebSocket. */
export function connect(url: string): Promise<WebSocket> {
  const socket = begin(url)
  return new Promise((resolve, reject) => {
    socket.on('error', reject)
    socket.on('open', () => resolve(socket))
  })
}

/** Connects as a device does: when the promise resolves it has said what it has, and has been answered. */
export function connectDevice(url: string, greeting: Greeting = NEWCOMER): Promise<WebSocket> {
  const socket = begin(url)
  let [isAsked, isAnswered] = [false, false]
  return new Promise((resolve, reject) => {
    socket.on('error', reject)
    socket.on('close', (code, reason) => reject(new Error(`${url} was closed with ${code} ${reason}`)))
    socket.on('open', () => socket.send(greeting.question))
    socket.on('message', (frame: Buffer) => {
      const kind = kindOf(frame)
      if (kind === 'asks') {
        isAsked = true
        socket.send(greeting.answer)
      } else if (kind === 'answers') isAnswered = true
      if (isAsked && isAnswered) resolve(socket)
    })
  })
}
