// An event stream with the interface of a WebSocket, from the same address, for networks that block
// WebSockets. It only receives.

/** @typedef {import("./environment.js").Environment} Environment */

/** The values of `readyState`, which are the same for a WebSocket. */
export const CONNECTING = 0
export const OPEN = 1
const CLOSED = 3

/** @type {Set<string>} */
const notices = new Set()

export class Stream {
  readyState = CONNECTING
  bufferedAmount = 0
  /** @type {(() => void) | null} */
  onopen = null
  /** @type {((event: { data: unknown }) => void) | null} */
  onmessage = null
  /** @type {((close: { code: number, reason: string }) => void) | null} */
  onclose = null
  #source

  /**
   * @param {string} address of the WebSocket
   * @param {Environment} environment
   */
  constructor(address, environment) {
    // The server can say if it refuses the WebSocket of this origin.
    const origin = encodeURIComponent(environment.location.origin)
    this.#source = new environment.EventSource(`${address.replace(/^ws/, "http")}&origin=${origin}`)
    this.#source.onopen = () => {
      this.readyState = OPEN
      this.onopen?.()
    }
    this.#source.onmessage = (event) => this.onmessage?.(event)
    this.#source.addEventListener("close", ({ data }) => this.#end(JSON.parse(data)))
    this.#source.addEventListener("notice", ({ data }) => warnOnce(JSON.parse(data).message))
    // An EventSource would reconnect by itself, but from its own position instead of the page's,
    // and without jitter.
    this.#source.onerror = () => this.close()
  }

  send() {}

  close() {
    this.#end({ code: 1006, reason: "" })
  }

  /** @param {{ code: number, reason: string }} close */
  #end(close) {
    if (this.readyState === CLOSED) return
    this.readyState = CLOSED
    this.#source.close()
    this.onclose?.(close)
  }
}

/** @param {string} message from the server to the developer */
function warnOnce(message) {
  if (notices.has(message)) return
  notices.add(message)
  console.warn(`bellwire: ${message}`)
}
