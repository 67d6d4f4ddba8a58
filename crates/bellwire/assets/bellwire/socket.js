// One WebSocket that stays: it comes back by itself until the server says that the end is final. Where the network lets none
// through, a stream of events takes its place, and a socket is tried again now and then.

import { setState, setTransport, state } from "./state.js"
import { Stream } from "./stream.js"

const FINAL = [1000, 1008] // "done" and "you may not": coming back would not help
const SHORTEST_WAIT = 2_000 // a restart drops everyone at once: full jitter spreads their first tries over this
const LONGEST_WAIT = 15_000 // in between it grows as the time without a connection
const HANDSHAKE = 10_000 // a connection attempt into nowhere would hang for minutes
const STEADY = 5_000 // open for so long counts as success; less must not shorten the waiting
const OFFLINE_AFTER = 5_000
const ANSWER = 15_000 // something was sent and nothing at all came back: the line is dead and nobody was told
const SLEPT = 90_000 // more than a throttled background timer ever needs between two ticks
const TICK = 10_000
const PROBE = 120_000 // how often a socket is tried while a stream stands in for it
const PROBE_SOON = 1_000 // on a network that is new
const BLOCKED = "bellwire:blocked" // in the tab's storage: the next page need not find out again

let blocked = remembered()

export class Socket {
  #hooks // { url(), address(): string, opened(), frame(data), closed(code), refused(): Promise<is the server there?> }
  #ws = null
  #lostAt = 0 // when the trying began; 0 once a connection has lasted
  #refusals = 0
  #suspicious = false // sockets are refused by somebody, and the server is there
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

  /** Whether a stream stands in for the socket: it hears, and asks have to go by HTTP. */
  get streaming() {
    return this.#ws instanceof Stream
  }

  /** Opens a new socket at once, in place of whatever there was. */
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
      setState("connected") // after an `offline` event a frame is the proof of the contrary
      this.#hooks.frame(data)
    }
    ws.onclose = ({ code, reason }) => this.#closed(code, reason, opened)
  }

  /** Sends now or says no. `answered`: a frame must follow, else the line is taken for dead. */
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

  /** The person or the network came back: no reason to wait any longer. */
  wake() {
    if (!this.final && !this.open && !this.#timers.has("handshake")) this.connect()
  }

  online() {
    if (this.final) return
    this.connect() // an open socket belongs to the network that was
    if (blocked) this.#probe(PROBE_SOON)
  }

  offline() {
    if (!this.final) setState("offline")
  }

  /** Closes without a word to the page; `connect` brings it back. */
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
    // The browser hides the status of a refused handshake, so only its repetition tells.
    if (!opened && navigator.onLine) this.#refused()
    this.#lostAt ||= performance.now()
    const longest = Math.min(LONGEST_WAIT, Math.max(SHORTEST_WAIT, performance.now() - this.#lostAt))
    this.#after("retry", Math.random() * longest, () => this.connect())
  }

  // A socket that was refused again and again, and once more while the page itself could be had, is refused by the network.
  async #refused() {
    if (this.#suspicious) remember((blocked = true))
    if (++this.#refusals % 3 === 0) this.#suspicious = await this.#hooks.refused()
  }

  // Networks change: a laptop is carried home.
  #probe(delay = PROBE * (0.5 + Math.random())) {
    this.#after("probe", delay, () => {
      const ws = new WebSocket(this.#hooks.url())
      this.#after("probe", HANDSHAKE, () => ws.close())
      ws.onopen = () => {
        if (!this.#ticker) return ws.close(1000) // the page is gone
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
    if (state() === "offline" && this.#lostAt) return // still away: trying again is no news
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

  // A laptop that slept keeps sockets that look open while the server has long forgotten them.
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
    // where the browser grants no storage, each page finds out by itself
  }
}
