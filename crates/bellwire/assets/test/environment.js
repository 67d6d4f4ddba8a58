// A replica of the browser for tests: time that passes on demand, sockets that do what a test says,
// and storage.

import { TabStorage } from "../src/bellwire/storage.js"

const settle = () => new Promise((resolve) => setImmediate(resolve))

/** What a WebSocket and an EventSource have in common here. */
class FakeConnection {
  readyState = 0
  bufferedAmount = 0
  /** @type {string[]} */
  sent = []
  isClosed = false
  /** @type {any} */
  onopen = null
  /** @type {any} */
  onmessage = null
  /** @type {any} */
  onclose = null
  /** @type {any} */
  onerror = null
  /** @type {Record<string, (event: { data: string }) => void>} */
  #listeners = {}

  /** @param {string} address */
  constructor(address) {
    this.address = address
  }

  /** @param {string} text */
  send(text) {
    this.sent.push(text)
  }

  close() {
    this.isClosed = true
    this.readyState = 3
  }

  /**
   * @param {string} name
   * @param {(event: { data: string }) => void} listener
   */
  addEventListener(name, listener) {
    this.#listeners[name] = listener
  }

  // What the server, or the network, does.

  accept() {
    this.readyState = 1
    this.onopen?.()
  }

  /** @param {unknown} data */
  receive(data) {
    this.onmessage?.({ data })
  }

  /** Accepts the connection and says hello to Ada. */
  welcome(person = "ada") {
    this.accept()
    this.receive(`hello ${person}`)
  }

  /** @param {number} code */
  end(code, reason = "") {
    this.readyState = 3
    this.onclose?.({ code, reason })
  }

  /**
   * @param {string} name
   * @param {unknown} data
   */
  event(name, data) {
    this.#listeners[name]?.({ data: JSON.stringify(data) })
  }

  fail() {
    this.onerror?.()
  }
}

/** Like the storage of a browser, an object with the stored values as its properties. */
const FakeStorage = {
  /** @param {string} key */
  getItem(key) {
    return Object.hasOwn(this, key) ? Reflect.get(this, key) : null
  },

  /**
   * @param {string} key
   * @param {string} value
   */
  setItem(key, value) {
    Reflect.set(this, key, value)
  },

  /** @param {string} key */
  removeItem(key) {
    Reflect.deleteProperty(this, key)
  },
}

export const newStorage = () => new TabStorage(tabArea())

/** A tab's storage area, which several pages share. */
export function tabArea() {
  const area = /** @type {any} */ (Object.create(FakeStorage))
  return () => area
}

/** The environment of one page. */
export function newEnvironment() {
  /** @type {FakeConnection[]} */
  const sockets = []
  /** @type {FakeConnection[]} */
  const streams = []
  /** @type {Map<number, { at: number, action: () => void, every: number }>} */
  const timers = new Map()
  let [now, lastTimer] = [1_000_000, 0]

  const schedule = (/** @type {() => void} */ action, /** @type {number} */ delay, every = 0) => {
    timers.set(++lastTimer, { at: now + delay, action, every })
    return lastTimer
  }

  /** Runs the next timer, if it is due until then. */
  const runNext = (/** @type {number} */ until) => {
    const [next] = [...timers].filter(([, { at }]) => at <= until).sort((a, b) => a[1].at - b[1].at)
    if (!next) return false
    const [id, timer] = next
    now = Math.max(now, timer.at)
    if (timer.every) timer.at += timer.every
    else timers.delete(id)
    timer.action()
    return true
  }

  return {
    sockets,
    streams,
    WebSocket: /** @type {any} */ (
      class extends FakeConnection {
        /** @param {string} address */
        constructor(address) {
          super(address)
          sockets.push(this)
        }
      }
    ),
    EventSource: /** @type {any} */ (
      class extends FakeConnection {
        /** @param {string} address */
        constructor(address) {
          super(address)
          streams.push(this)
        }
      }
    ),
    setTimeout: /** @type {any} */ (schedule),
    clearTimeout: /** @type {any} */ ((/** @type {number} */ timer) => timers.delete(timer)),
    setInterval: /** @type {any} */ (
      (/** @type {() => void} */ action, /** @type {number} */ delay) =>
        schedule(action, delay, delay)
    ),
    clearInterval: /** @type {any} */ ((/** @type {number} */ timer) => timers.delete(timer)),
    fetch: /** @type {any} */ (() => Promise.reject(new TypeError("no network"))),
    performance: { now: () => now },
    Date: { now: () => now },
    Math: { random: () => 0.5 },
    navigator: { onLine: true },
    document: { hidden: false },
    location: { origin: "https://example.org" },

    /** The connection that was opened last. */
    get socket() {
      return /** @type {FakeConnection} */ (sockets.at(-1))
    },

    get stream() {
      return /** @type {FakeConnection} */ (streams.at(-1))
    },

    /**
     * Lets time pass.
     *
     * @param {number} duration in ms
     */
    async pass(duration) {
      const until = now + duration
      await settle()
      while (runNext(until)) await settle()
      now = until
    },

    /**
     * The laptop sleeps: no timer runs meanwhile.
     *
     * @param {number} duration in ms
     */
    async sleep(duration) {
      now += duration
      runNext(now)
      await settle()
    },
  }
}
