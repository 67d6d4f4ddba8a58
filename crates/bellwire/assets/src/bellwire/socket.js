// A WebSocket that reconnects by itself until the server closes it with a final code. If the
// network blocks WebSockets, an event stream takes its place, and a WebSocket is tried again from
// time to time. Nothing is sent before the server's hello, which names the person of the
// connection. All times are in milliseconds.

import { browser } from "./environment.js"
import { OFFLINE, STRANGER, UNREACHABLE } from "./messages.js"
import { tabStorage } from "./storage.js"
import { OPEN, Stream } from "./stream.js"

/** @typedef {import("./environment.js").Environment} Environment */
/** @typedef {import("./environment.js").Timer} Timer */
/** @typedef {import("./state.js").State} State */

const FINAL = [1000, 1008] // normal closure and policy violation: reconnecting would not help
const RESTART = 1012
// A restart disconnects everybody at once: full jitter spreads the first tries over this time.
const SHORTEST_WAIT = 2_000
const LONGEST_WAIT = 15_000 // in between, the wait grows with the time without a connection
const LONGEST_RETRY = 60_000 // the longest wait that a server may ask for
const HANDSHAKE = 10_000 // an attempt without an answer, or without a hello, would hang for minutes
const STEADY = 5_000 // connected for this long counts as success; a shorter time keeps the backoff
const OFFLINE_AFTER = 5_000
const ANSWER = 15_000 // no frame for this long after a send: the connection is dead without a close
const SLEPT = 90_000 // longer than a throttled background timer needs between two ticks
const TICK = 10_000
const PROBE = 120_000 // the interval of WebSocket probes while a stream is used
const PROBE_SOON = 1_000 // the delay of a probe after a network change
const BLOCKED = "bellwire:blocked" // key in the tab's storage: the next page starts with a stream

/**
 * @typedef {object} Hooks
 * @property {() => string} probeAddress of the WebSocket, without positions
 * @property {() => string} address with positions; called once for each connection
 * @property {(frame: unknown) => "welcome" | "stranger" | "missing"} hello reads the first frame:
 *   a hello for the page's person, for another person, or no hello
 * @property {() => void} ready after the hello: what waits can be sent
 * @property {(frame: unknown) => void} frame
 * @property {() => void} lost a connection with a hello has ended, or is replaced
 * @property {(code: number) => void} closed
 * @property {() => void} stranger the connection was closed for good, as it is another person's
 * @property {() => Promise<boolean>} refused resolves to whether the server is reachable
 * @property {(state: State, reason?: string) => void} state
 * @property {(name: "socket" | "stream") => void} transport
 */

export class Socket {
  #hooks
  #env
  #storage
  /** @type {WebSocket | Stream | null} */
  #ws = null
  #hasHello = false
  /** @type {State | null} */
  #state = null
  #lostAt = 0 // when the connection was lost; 0 once a new one has lasted
  #refusals = 0
  #isSuspicious = false // WebSockets are refused although the server is reachable
  #isBlocked
  #silences = 0
  /** @type {Map<string, Timer>} */
  #timers = new Map()
  /** @type {Timer | undefined} */
  #ticker
  isFinal = false

  /**
   * @param {Hooks} hooks
   * @param {Environment} environment
   * @param {import("./storage.js").TabStorage} storage
   */
  constructor(hooks, environment = browser, storage = tabStorage) {
    this.#hooks = hooks
    this.#env = environment
    this.#storage = storage
    this.#isBlocked = storage.keys().includes(BLOCKED)
    this.connect()
  }

  /** Whether the server has said hello. */
  get isOpen() {
    return this.#hasHello && this.#ws?.readyState === OPEN
  }

  /** Whether an event stream replaces the socket: it only receives, and actions go by HTTP. */
  get isStream() {
    return this.#ws instanceof Stream
  }

  /** Whether the browser still holds frames that it could transmit later. */
  get hasUnsentBytes() {
    return (this.#ws?.bufferedAmount ?? 0) > 0
  }

  /** Opens a new connection immediately, in place of the current one. */
  connect() {
    this.#drop()
    if (this.#ws) return // a listener has reconnected
    this.isFinal = false
    this.#showLoss()
    this.#watchForSleep()
    this.#open()
    if (this.#isBlocked && !this.#timers.has("probe")) this.#probe()
  }

  /** Connects at once, as if the connection had just been lost. */
  restart() {
    this.#lostAt = 0
    this.connect()
  }

  /**
   * Sends a frame, which the server must answer: if no frame follows, the connection is replaced.
   *
   * @param {string} frame
   * @returns {boolean} whether it was sent
   */
  send(frame) {
    if (!this.isOpen || this.isStream) return false
    this.#ws?.send(frame)
    if (!this.#timers.has("answer"))
      this.#after("answer", ANSWER * 2 ** Math.min(this.#silences, 2), () => this.#silent())
    return true
  }

  /** Reconnects without further wait, after the page became visible. */
  wake() {
    if (!this.isFinal && !this.isOpen && !this.#timers.has("handshake")) this.connect()
  }

  online() {
    if (this.isFinal) return
    this.restart() // an open socket belongs to the former network
    if (this.#isBlocked) this.#probe(PROBE_SOON)
  }

  // A frame that is sent into a dead connection is transmitted when the network returns, even if it
  // was cancelled meanwhile. The new connection finds out whether there is really no network.
  offline() {
    if (!this.isFinal) this.connect()
  }

  /** Closes without a change of state; `connect` opens it again. */
  close() {
    this.#drop()
    this.#env.clearInterval(this.#ticker)
    this.#ticker = undefined
    this.#stop("offline", "probe")
  }

  #open() {
    let opened = false
    const address = this.#hooks.address()
    const ws = this.#isBlocked ? new Stream(address, this.#env) : new this.#env.WebSocket(address)
    const giveUp = () => {
      ws.close()
      if (ws === this.#ws) this.#closed(1006, "", opened)
    }
    this.#ws = ws
    this.#after("handshake", HANDSHAKE, giveUp)
    ws.onopen = () => {
      opened = true
      this.#refusals = 0
      this.#isSuspicious = false
      this.#after("handshake", HANDSHAKE, giveUp)
    }
    ws.onmessage = (/** @type {{ data: unknown }} */ { data }) => this.#received(data)
    ws.onclose = (/** @type {{ code: number, reason: string }} */ { code, reason }) =>
      this.#closed(code, reason, opened)
  }

  /** @param {unknown} frame */
  #received(frame) {
    if (!this.#hasHello) return this.#greeted(frame)
    this.#silences = 0 // a hello alone does not show that asks are answered
    this.#stop("answer")
    this.#hooks.frame(frame)
  }

  /** @param {unknown} frame the first one */
  #greeted(frame) {
    const hello = this.#hooks.hello(frame)
    if (hello === "stranger") return this.#refuse()
    if (hello === "missing") {
      console.warn("bellwire: the server did not say hello; the connection is closed")
      return this.#closed(1002, "", true)
    }
    this.#hasHello = true
    this.#stop("handshake", "offline")
    this.#after("steady", STEADY, () => (this.#lostAt = 0))
    this.#hooks.transport(this.isStream ? "stream" : "socket")
    this.#setState("connected")
    this.#hooks.frame(frame) // it may contain more than the hello
    this.#hooks.ready()
  }

  #refuse() {
    this.close()
    this.isFinal = true
    this.#setState("offline", STRANGER)
    this.#hooks.stranger()
  }

  #silent() {
    this.#silences++
    this.connect()
  }

  /**
   * @param {number} code
   * @param {string} reason
   * @param {boolean} opened
   */
  #closed(code, reason, opened) {
    this.#drop()
    this.#hooks.closed(code)
    if (this.#ws) return // a listener has reconnected
    if (FINAL.includes(code)) return this.#finish(reason)
    this.#showLoss()
    // The browser hides the status of a refused handshake, so refusals are counted.
    if (!opened && this.#env.navigator.onLine) this.#refused()
    this.#after("retry", this.#wait(code, reason), () => this.connect())
  }

  /** @param {string} reason */
  #finish(reason) {
    this.isFinal = true
    this.close()
    this.#setState("offline", reason)
  }

  // The wait before the next attempt. A server that restarts spreads the return itself.
  #wait(/** @type {number} */ code, /** @type {string} */ reason) {
    this.#lostAt ||= this.#env.performance.now()
    const asked = code === RESTART && /\bretry=(\d+)/.exec(reason)
    if (asked) return Math.min(LONGEST_RETRY, Number(asked[1]))
    const lostFor = this.#env.performance.now() - this.#lostAt
    return this.#env.Math.random() * Math.min(LONGEST_WAIT, Math.max(SHORTEST_WAIT, lostFor))
  }

  // WebSockets count as blocked by the network if they are refused repeatedly, and once more
  // although the page itself can be loaded.
  async #refused() {
    if (this.#isSuspicious) this.#setBlocked(true)
    if (++this.#refusals % 3 === 0) this.#isSuspicious = await this.#hooks.refused()
  }

  // Probes for a WebSocket, because networks change: a laptop is carried home.
  #probe(delay = PROBE * (0.5 + this.#env.Math.random())) {
    this.#after("probe", delay, () => {
      const ws = new this.#env.WebSocket(this.#hooks.probeAddress())
      this.#after("probe", HANDSHAKE, () => ws.close())
      ws.onopen = () => this.#probed(ws)
      ws.onclose = () => {
        if (this.#ticker) this.#probe()
      }
    })
  }

  /** @param {WebSocket} ws */
  #probed(ws) {
    ws.onclose = null
    ws.close(1000)
    if (!this.#ticker) return // closed meanwhile
    this.#stop("probe")
    this.#setBlocked(false)
    this.connect()
  }

  /** @param {boolean} isBlocked */
  #setBlocked(isBlocked) {
    this.#isBlocked = isBlocked
    this.#storage.set(BLOCKED, isBlocked || null)
  }

  #showLoss() {
    if (!this.#env.navigator.onLine) return this.#setState("offline", OFFLINE)
    // A retry does not change the state.
    if (this.#state === "offline" && this.#lostAt) return this.#setState("offline", UNREACHABLE)
    this.#setState("connecting")
    if (this.#timers.has("offline")) return
    const reason = () => (this.#env.navigator.onLine ? UNREACHABLE : OFFLINE)
    this.#after("offline", OFFLINE_AFTER, () => this.#setState("offline", reason()))
  }

  /**
   * @param {State} state
   * @param {string} [reason]
   */
  #setState(state, reason) {
    this.#state = state
    this.#hooks.state(state, reason)
  }

  #drop() {
    this.#stop("handshake", "steady", "answer", "retry")
    const [ws, hadHello] = [this.#ws, this.#hasHello]
    this.#ws = null
    this.#hasHello = false
    if (!ws) return
    ws.onopen = ws.onmessage = ws.onclose = null
    ws.close(1000)
    if (hadHello) this.#hooks.lost()
  }

  // After a laptop sleeps, its sockets look open although the server has closed them.
  #watchForSleep() {
    let last = this.#env.Date.now()
    this.#env.clearInterval(this.#ticker)
    this.#ticker = this.#env.setInterval(() => {
      const slept = this.#env.Date.now() - last > SLEPT
      last = this.#env.Date.now()
      if (slept && !this.#env.document.hidden) this.connect()
    }, TICK)
  }

  /**
   * @param {string} name
   * @param {number} delay
   * @param {() => void} action
   */
  #after(name, delay, action) {
    this.#stop(name)
    const fire = () => {
      this.#timers.delete(name)
      action()
    }
    this.#timers.set(name, this.#env.setTimeout(fire, delay))
  }

  /** @param {string[]} names */
  #stop(...names) {
    for (const name of names) {
      this.#env.clearTimeout(this.#timers.get(name))
      this.#timers.delete(name)
    }
  }
}
