// The outbox: actions that are kept until they are answered. It survives a reconnect, a reload and
// a navigation to another page in this tab.

import { TOO_LONG, TOO_MANY } from "./messages.js"
import { outboxKey } from "./unowned.js"

/** @typedef {import("./storage.js").TabStorage} TabStorage */

/**
 * @typedef {object} Item
 * @property {string} id
 * @property {string} action
 * @property {any} data
 * @property {string} form the id of the form that sent it
 */

const MAX_ITEMS = 100
const MAX_CHARS = 256 * 1024 // in total; beyond either limit an action is refused, its text kept
// Per item: the server closes the connection at 64 KiB, and would again after each resend.
const MAX_BYTES = 60 * 1024

/** A random id. `crypto.randomUUID` exists only on https and localhost. */
export function randomId() {
  const bytes = crypto.getRandomValues(new Uint8Array(16))
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("")
}

/**
 * The frame of an action that is kept; its id is in the data.
 *
 * @param {{ action: string, data: unknown, client_id?: string }} item
 */
export const frameOf = ({ action, data, client_id }) => JSON.stringify({ action, data, client_id })

/** @param {string} frame */
export const isTooLong = (frame) => new TextEncoder().encode(frame).length > MAX_BYTES

export class Outbox {
  #key
  #owner
  #storage

  /**
   * @param {string} url the address of the page's socket
   * @param {string | null} owner the person for whom the page was made; `null` if it does not say
   * @param {TabStorage} storage
   */
  constructor(url, owner, storage) {
    this.#key = outboxKey(owner, url)
    this.#owner = owner
    this.#storage = storage
  }

  /**
   * The items in sending order.
   *
   * @returns {Item[]}
   */
  items() {
    return this.#storage.get(this.#key) ?? []
  }

  /**
   * Whether a connection of this person may send what waits.
   *
   * @param {string} person
   */
  admits(person) {
    return this.#owner === null || this.#owner === person
  }

  /**
   * Adds an item.
   *
   * @param {Item} item
   * @returns {string | null} the reason if it is refused
   */
  add(item) {
    if (isTooLong(frameOf(item))) return TOO_LONG
    const items = [...this.items(), item]
    if (items.length > MAX_ITEMS || JSON.stringify(items).length > MAX_CHARS) return TOO_MANY
    this.#save(items)
    return null
  }

  /**
   * Removes an item.
   *
   * @param {string} id
   * @returns {Item | undefined} the item
   */
  take(id) {
    const items = this.items()
    const item = items.find((each) => each.id === id)
    if (item) this.#save(items.filter((each) => each !== item))
    return item
  }

  /** @param {Item[]} items */
  #save(items) {
    this.#storage.set(this.#key, items.length ? items : null)
  }
}
