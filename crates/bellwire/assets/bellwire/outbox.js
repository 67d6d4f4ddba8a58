// Outbox: actions that are sent and not yet answered. It survives a reconnect, a reload and a
// navigation to another page in this tab.

const MOST_ITEMS = 100
const MOST_CHARS = 256 * 1024 // in total; beyond either limit an action is refused, its text kept
// Per item: the server closes the connection at 64 KiB, and would again after each resend.
const MOST_BYTES = 60 * 1024

const memory = new Map() // fallback if the browser denies storage

export const TOO_LONG = "This is too long to be sent."
export const TOO_MANY = "Too much is waiting to be sent. Please try again when you are connected."

/** A random id. `crypto.randomUUID` exists only on https and localhost. */
export function freshId() {
  const bytes = crypto.getRandomValues(new Uint8Array(16))
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("")
}

/** The frame of one action, as it is sent. */
export const wire = ({ action, data }) => JSON.stringify({ action, data })

export const tooLong = (text) => new TextEncoder().encode(text).length > MOST_BYTES

export class Outbox {
  #key

  constructor(url) {
    // Keyed by user: the next user of this tab must not send what another one wrote.
    this.#key = `bellwire:${document.documentElement.dataset.user ?? ""}:${url}`
  }

  /**
   * The items, `{id, action, data, form}`, in sending order. Read from storage each time, because a
   * page may return from the back/forward cache.
   */
  items() {
    try {
      return JSON.parse(sessionStorage.getItem(this.#key)) ?? memory.get(this.#key) ?? []
    } catch {
      return memory.get(this.#key) ?? []
    }
  }

  /** Adds an item. Returns the reason if it is refused, else `null`. */
  add(item) {
    if (tooLong(wire(item))) return TOO_LONG
    const items = [...this.items(), item]
    if (items.length > MOST_ITEMS || JSON.stringify(items).length > MOST_CHARS) return TOO_MANY
    this.#save(items)
    return null
  }

  /** Removes an item by its id, and returns it. */
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
