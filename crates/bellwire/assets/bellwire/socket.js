// A WebSocket that reconnects by itself until the server closes it with a final code. If the
// network blocks WebSockets, an event stream takes its place, and a WebSocket is tried again from
// time to time. All times are in milliseconds.

import { setState, setTransport, state } from "./state.js"
import { Stream } from "./stream.js"

const FINAL = [1000, 1008] // normal closure and policy violation: reconnecting would not help
// A restart disconnects everybody at once: full jitter spreads the first tries over this time.
const SHORTEST_WAIT = 2_000
const LONGEST_WAIT = 15_000 // in between, the wait grows with the time without a connection
const HANDSHAKE = 10_000 // an attempt without an answer would hang for minutes
const STEADY = 5_000 // open for this long counts as success; a shorter connection keeps the backoff
const OFFLINE_AFTER = 5_000
const ANSWER = 15_000 // no frame for this long after a send: the connection is dead without a close
const SLEPT = 90_000 // longer than a throttled background timer needs between two ticks
const TICK = 10_000
const PROBE = 120_000 // the interval of WebSocket probes while a stream is used
const PROBE_SOON = 1_000 // the delay of a probe after a network change
const BLOCKED = "bellwire:blocked" // key in the tab's storage: the next page starts with a stream

let blocked = remembered()

export class Socket {
  // { url(), address(): string, opened(), frame(data), closed(code), refused(): Promise<boolean> };
  // `refused` resolves to whether the server is reachable.
  #hooks
  #ws = null
  #lostAt = 0 // when the connection was lost; 0 once a new one has lasted
  #refusals = 0
  #suspicious = false // WebSockets are refused although the server is reachable
  #silences = 0
  #timers = new Map()
  #ticker = 0
  final = false

  constructor(hooks) {
    this.#hooks = hooks
    this.connect()
  }

  get open() {
    return this.#ws?.readyState === WebSocket.OPEN
  }

  /** Whether an event stream replaces the socket: it only receives, and actions go by HTTP. */
  get streaming() {
    return this.#ws instanceof Stream
  }

  /** Opens a new socket immediately, in place of the current one. */
  connect() {
    this.#drop()
    this.final = false
    this.#lost()
    this.#watchForSleep()
    let opened = false
    const ws = (this.#ws = new (blocked ? Stream : WebSocket)(this.#hooks.address()))
    if (blocked && !this.#timers.has("probe")) this.#probe()
    this.#after("handshake", HANDSHAKE, () => ws.close())
    ws.onopen = () => {
      opened = true
      this.#refusals = 0
      this.#suspicious = false
      this.#stop("handshake", "offline")
      this.#after("steady", STEADY, () => (this.#lostAt = 0))
      setTransport(this.streaming ? "stream" : "socket")
      setState("connected")
      this.#hooks.opened()
    }
    ws.onmessage = ({ data }) => {
      this.#silences = 0
      this.#stop("answer")
      setState("connected") // a frame after an `offline` event proves a connection
      this.#hooks.frame(data)
    }
    ws.onclose = ({ code, reason }) => this.#closed(code, reason, opened)
  }

  /**
   * Sends immediately; returns whether it did. With `answered`, a frame must follow, or else the
   * connection is replaced.
   */
  send(text, answered) {
    if (!this.open || this.streaming) return false
    this.#ws.send(text)
    if (answered && !this.#timers.has("answer")) {
      this.#after("answer", ANSWER * 2 ** Math.min(this.#silences, 2), () => {
        this.#silences++
        this.connect()
      })
    }
    return true
  }

  /** Reconnects without further wait, after the page became visible. */
  wake() {
    if (!this.final && !this.open && !this.#timers.has("handshake")) this.connect()
  }

  online() {
    if (this.final) return
    this.connect() // an open socket belongs to the former network
    if (blocked) this.#probe(PROBE_SOON)
  }

  offline() {
    if (!this.final) setState("offline")
  }

  /** Closes without a change of state; `connect` opens it again. */
  close() {
    this.#drop()
    clearInterval(this.#ticker)
    this.#ticker = 0
    this.#stop("offline", "probe")
  }

  #closed(code, reason, opened) {
    this.#drop()
    this.#hooks.closed(code)
    if (FINAL.includes(code)) {
      this.final = true
      this.close()
      return setState("offline", reason)
    }
    this.#lost()
    // The browser hides the status of a refused handshake, so refusals are counted.
    if (!opened && navigator.onLine) this.#refused()
    this.#lostAt ||= performance.now()
    const longest = Math.min(LONGEST_WAIT, Math.max(SHORTEST_WAIT, performance.now() - this.#lostAt))
    this.#after("retry", Math.random() * longest, () => this.connect())
  }

  // WebSockets count as blocked by the network if they are refused repeatedly, and once more
  // although the page itself can be loaded.
  async #refused() {
    if (this.#suspicious) remember((blocked = true))
    if (++this.#refusals % 3 === 0) this.#suspicious = await this.#hooks.refused()
  }

  // Probes for a WebSocket, because networks change: a laptop is carried home.
  #probe(delay = PROBE * (0.5 + Math.random())) {
    this.#after("probe", delay, () => {
      const ws = new WebSocket(this.#hooks.url())
      this.#after("probe", HANDSHAKE, () => ws.close())
      ws.onopen = () => {
        if (!this.#ticker) return ws.close(1000) // the socket was closed meanwhile
        ws.onclose = null
        ws.close(1000)
        this.#stop("probe")
        remember((blocked = false))
        this.connect()
      }
      ws.onclose = () => this.#ticker && this.#probe()
    })
  }

  #lost() {
    if (!navigator.onLine) return setState("offline")
    if (state() === "offline" && this.#lostAt) return // a retry does not change the state
    setState("connecting")
    if (!this.#timers.has("offline")) this.#after("offline", OFFLINE_AFTER, () => setState("offline"))
  }

  #drop() {
    this.#stop("handshake", "steady", "answer", "retry")
    const ws = this.#ws
    this.#ws = null
    if (!ws) return
    ws.onopen = ws.onmessage = ws.onclose = null
    ws.close(1000)
  }

  // After a laptop sleeps, its sockets look open although the server has closed them.
  #watchForSleep() {
    let last = Date.now()
    clearInterval(this.#ticker)
    this.#ticker = setInterval(() => {
      const slept = Date.now() - last > SLEPT
      last = Date.now()
      if (slept && !document.hidden) this.connect()
    }, TICK)
  }

  #after(name, delay, action) {
    this.#stop(name)
    this.#timers.set(
      name,
      setTimeout(() => (this.#timers.delete(name), action()), delay),
    )
  }

  #stop(...names) {
    for (const name of names) {
      clearTimeout(this.#timers.get(name))
      this.#timers.delete(name)
    }
  }
}

function remembered() {
  try {
    return sessionStorage.getItem(BLOCKED) !== null
  } catch {
    return false
  }
}

function remember(isBlocked) {
  try {
    if (isBlocked) sessionStorage.setItem(BLOCKED, "")
    else sessionStorage.removeItem(BLOCKED)
  } catch {
    // If the browser denies storage, each page finds out by itself.
  }
}
