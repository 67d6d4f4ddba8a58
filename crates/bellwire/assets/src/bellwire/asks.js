// Asks: actions that are sent and not yet answered. An ask of a form with a `client_id` is kept in
// the outbox and sent again until it ends; any other is sent now or never. Each ends once: answered,
// refused, given back as uncertain, lost, or cancelled.

import { idOf } from "./controls.js"
import { browser } from "./environment.js"
import { TOO_LONG, UNCERTAIN } from "./messages.js"
import { frameOf, isTooLong, randomId } from "./outbox.js"

/** @typedef {import("./environment.js").Environment} Environment */
/** @typedef {import("./outbox.js").Item} Item */
/** @typedef {import("./outbox.js").Outbox} Outbox */

const PATIENCE = 30_000 // ms until an ask over an open connection is sent again, or ends
const ENOUGH_SENDS = 3 // then an ask without an answer for that long ends
const MAX_SENDS = 20 // then an ask ends at once: it may be what breaks the connections

/**
 * @typedef {object} Ask
 * @property {Item} item
 * @property {Element | null} element the form, link or other element that sent it
 * @property {boolean} isKept
 * @property {boolean} isChange whether a newer one of the same element replaces it
 * @property {number} sends
 * @property {import("./environment.js").Timer} [timer]
 */

/**
 * @typedef {object} Hooks
 * @property {(frame: string) => boolean} send
 * @property {(ask: Ask, name: string, detail?: object) => void} tell reports to the page
 * @property {(ask: Ask, isBusy: boolean) => void} busy whether the ask is under way
 * @property {(item: Item) => Element | null} find the element of an ask of an earlier page
 */

export class Asks {
  #outbox
  #hooks
  #env
  /** @type {Map<string, Ask>} */
  #asks = new Map()
  /** @type {Set<string>} ids of changes that a newer one has replaced */
  #replaced = new Set()

  /**
   * @param {Outbox} outbox
   * @param {Hooks} hooks
   * @param {Environment} environment
   */
  constructor(outbox, hooks, environment = browser) {
    this.#outbox = outbox
    this.#hooks = hooks
    this.#env = environment
  }

  /**
   * Keeps an action until it is answered.
   *
   * @param {Item} item
   * @param {Element | null} element
   * @returns {Ask | null} `null` if it was refused
   */
  keep(item, element) {
    const error = this.#outbox.add(item)
    if (!error) return this.#show(item, element)
    this.#tell(newAsk(item, element, true), "refused", { error, field: null })
    return null
  }

  /**
   * Sends an action now or never.
   *
   * @param {string} action
   * @param {any} data
   * @param {Element | null} element
   * @param {boolean} [isChange]
   * @returns {string | null} the id; `null` if it was not sent
   */
  sendOnce(action, data, element, isChange = false) {
    const form = element?.localName === "form" ? idOf(element) : ""
    const item = { id: randomId(), action, data, form }
    const ask = newAsk(item, element, false, isChange)
    const frame = frameOf({ action, data, client_id: item.id })
    if (isTooLong(frame)) this.#tell(ask, "refused", { error: TOO_LONG, field: null })
    if (isTooLong(frame) || !this.#hooks.send(frame)) return null
    if (isChange) this.#replaceChange(element)
    this.#asks.set(item.id, ask)
    this.#wait(ask)
    this.#tell(ask, "sent")
    return item.id
  }

  /**
   * Sends a kept ask, again if necessary, if there is a connection.
   *
   * @param {Ask} ask
   */
  transmit(ask) {
    if (ask.sends >= MAX_SENDS) return this.refused(ask.item.id, UNCERTAIN)
    if (!this.#hooks.send(frameOf(ask.item))) return
    ask.sends++
    this.#wait(ask)
    this.#tell(ask, "sent")
  }

  /** Sends everything that waits. Actions of an earlier page are shown as pending here as well. */
  resend() {
    for (const ask of this.kept()) this.transmit(ask)
  }

  /**
   * The kept asks in sending order.
   *
   * @returns {Ask[]}
   */
  kept() {
    return this.#outbox
      .items()
      .map((item) => this.#asks.get(item.id) ?? this.#show(item, this.#hooks.find(item)))
  }

  /**
   * The unanswered ask with this id.
   *
   * @param {string} id
   */
  get(id) {
    return this.#asks.get(id)
  }

  /**
   * An ask is under way by HTTP.
   *
   * @param {Ask} ask
   */
  begin(ask) {
    this.#hooks.busy(ask, true)
    this.#tell(ask, "sent")
  }

  /**
   * An ask waits again.
   *
   * @param {Ask} ask
   */
  pause(ask) {
    this.#env.clearTimeout(ask.timer)
    this.#hooks.busy(ask, false)
  }

  /** The connection has ended: what was not kept is lost, the rest waits for the next one. */
  lost() {
    this.#replaced.clear()
    for (const ask of [...this.#asks.values()]) {
      if (!ask.isKept) this.#lose(ask)
      else this.pause(ask)
    }
  }

  /** @param {string} id */
  answered(id) {
    const ask = this.#take(id)
    if (ask) this.#tell(ask, "answered")
  }

  /**
   * @param {string} id
   * @param {string} error
   * @param {string | null} field
   */
  refused(id, error, field = null) {
    const ask = this.#take(id)
    if (ask) this.#tell(ask, "refused", { error, field })
  }

  /**
   * Whether this answer is to a change that a newer one has replaced, and does not matter.
   *
   * @param {string} id
   */
  isOutdated(id) {
    return this.#replaced.delete(id) // there is one answer
  }

  /**
   * Ends an ask without an answer.
   *
   * @param {string} id
   * @returns {Ask | undefined} the ask, if it was still unanswered
   */
  cancel(id) {
    return this.#take(id)
  }

  /** The asks that have no answer yet, the kept ones first, in sending order. */
  pending() {
    const once = [...this.#asks.values()].filter((ask) => !ask.isKept)
    return [...this.#outbox.items(), ...once.map((ask) => ask.item)]
  }

  /** Ends everything that is shown, because the page leaves this connection. */
  close() {
    this.lost()
    this.#asks.clear()
  }

  /**
   * @param {Item} item
   * @param {Element | null} element
   */
  #show(item, element) {
    const ask = newAsk(item, element, true)
    this.#asks.set(item.id, ask)
    this.#tell(ask, "queued")
    return ask
  }

  /** @param {Element | null} element */
  #replaceChange(element) {
    for (const ask of [...this.#asks.values()].filter(
      (each) => each.isChange && each.element === element,
    )) {
      this.#take(ask.item.id)
      this.#replaced.add(ask.item.id)
    }
  }

  // Forgets an ask, and removes it from the outbox.
  #take(/** @type {string} */ id) {
    const item = this.#outbox.take(id)
    const ask = this.#asks.get(id)
    if (ask) this.pause(ask)
    this.#asks.delete(id)
    if (ask || !item) return ask
    return newAsk(item, this.#hooks.find(item), true)
  }

  /** @param {Ask} ask */
  #wait(ask) {
    this.#env.clearTimeout(ask.timer)
    ask.timer = this.#env.setTimeout(() => this.#overdue(ask), PATIENCE)
    this.#hooks.busy(ask, true)
  }

  // The server has not answered over an open connection, although it has received the ask.
  #overdue(/** @type {Ask} */ ask) {
    if (!ask.isKept) this.#lose(ask)
    else if (ask.sends < ENOUGH_SENDS) this.transmit(ask)
    else this.refused(ask.item.id, UNCERTAIN)
  }

  /** @param {Ask} ask */
  #lose(ask) {
    this.#take(ask.item.id)
    this.#tell(ask, "lost")
  }

  /**
   * @param {Ask} ask
   * @param {string} name
   * @param {object} [detail]
   */
  #tell(ask, name, detail) {
    this.#hooks.tell(ask, name, detail)
  }
}

/**
 * @param {Item} item
 * @param {Element | null} element
 * @param {boolean} isKept
 * @param {boolean} isChange
 * @returns {Ask}
 */
const newAsk = (item, element, isKept, isChange = false) => ({
  item,
  element,
  isKept,
  isChange,
  sends: 0,
})
