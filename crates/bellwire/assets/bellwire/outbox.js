// What was sent and not yet answered. It outlives a reconnect, a reload and a walk to another page of this tab.

const MOST_ITEMS = 100
const MOST_CHARS = 256 * 1024 // together; beyond either bound the sender is told, and keeps the text
const MOST_BYTES = 60 * 1024 // for one: the server closes the connection at 64 KiB, and again after every resend

const memory = new Map() // where the browser grants no storage

export const TOO_LONG = "This is too long to be sent."
export const TOO_MANY = "Too much is waiting to be sent. Please try again when you are connected."

/** Random for everyone: `crypto.randomUUID` exists only on https and localhost. */
export function freshId() {
  const bytes = crypto.getRandomValues(new Uint8Array(16))
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("")
}

/** The text of one ask, as it goes over the wire. */
export const wire = ({ action, data }) => JSON.stringify({ action, data })

export const tooLong = (text) => new TextEncoder().encode(text).length > MOST_BYTES

export class Outbox {
  #key

  constructor(url) {
    // Whoever signs in next in this tab must not send what another person wrote.
    this.#key = `bellwire:${document.documentElement.dataset.user ?? ""}:${url}`
  }

  /** `{id, action, data, form}` in the order they were sent. Read anew each time: a cached page may come back. */
  items() {
    try {
      return JSON.parse(sessionStorage.getItem(this.#key)) ?? memory.get(this.#key) ?? []
    } catch {
      return memory.get(this.#key) ?? []
    }
  }

  /** Why an item cannot be taken, or `null` when it is in. */
  add(item) {
    if (tooLong(wire(item))) return TOO_LONG
    const items = [...this.items(), item]
    if (items.length > MOST_ITEMS || JSON.stringify(items).length > MOST_CHARS) return TOO_MANY
    this.#save(items)
    return null
  }

  /** Takes an item out by its id. */
  take(id) {
    const items = this.items()
    const item = items.find((each) => each.id === id)
    if (item) this.#save(items.filter((each) => each !== item))
    return item
  }

  #save(items) {
    memory.delete(this.#key)
    try {
      if (items.length) sessionStorage.setItem(this.#key, JSON.stringify(items))
      else sessionStorage.removeItem(this.#key)
    } catch {
      memory.set(this.#key, items)
    }
  }
}
