// The connection of a page, as long as it has its `bw-connect`: socket, feed positions, asks, and
// the person for whom the page was made.

import { elementOf, formFor, formOf, markSent, setBusy } from "./ask-elements.js"
import { Asks } from "./asks.js"
import { idOf } from "./controls.js"
import { forgetDrafts, keepDrafts, restoreDrafts } from "./drafts.js"
import { emit, refuse } from "./events.js"
import { findError, showError } from "./field-errors.js"
import { applyFrame, directError, readFrame } from "./frames.js"
import { post } from "./http.js"
import { HttpQueue, outcomeOf } from "./http-queue.js"
import { pageLocation } from "./location.js"
import { ANOTHER_PERSON, NOT_CONNECTED, TOO_LONG } from "./messages.js"
import { frameOf, Outbox, randomId } from "./outbox.js"
import { oldestPositions, sinceQuery } from "./positions.js"
import { checkSession, ownerOf } from "./session.js"
import { Socket } from "./socket.js"
import { offerSignIn, setState, setTransport } from "./state.js"
import { tabStorage } from "./storage.js"
import { wellFormedData } from "./text.js"
import { actingPerson, claimUnowned, dropUnowned } from "./unowned.js"

/** @typedef {import("./asks.js").Ask} Ask */
/** @typedef {import("./frames.js").Frame} Frame */
/** @typedef {import("./hooks.js").Change} Change */
/** @typedef {import("./http-queue.js").Outcome} Outcome */
/** @typedef {import("./outbox.js").Item} Item */

const MAX_WAITING = 500 // frames; beyond it the page reconnects and catches up from its positions
const RELOAD_PAUSE = 60_000 // ms between two reloads after refused handshakes
const RELOADED = "bellwire:reloaded"

export class Page {
  #htmx // htmx's internal functions
  #changed // called after a frame is applied
  /** @type {string[]} frames that are not yet applied */
  #waiting = []
  #isApplying = false
  #isClosed = false
  #isLeaving = false // the page is being left, because the server refuses its socket
  #knownLocation = pageLocation() // the location of the page (`bw-at`) as known to the server
  #positions = pagePositions() // feed → seq, of the feeds of that location
  #owner = ownerOf(document)
  #outbox
  #asks
  #httpQueue

  /**
   * @param {Element} element
   * @param {string} url
   * @param {any} htmx
   * @param {(changes: Change[]) => void} changed
   */
  constructor(element, url, htmx, changed) {
    this.element = element
    this.url = url
    this.#htmx = htmx
    this.#changed = changed
    this.#outbox = new Outbox(url, this.#owner, tabStorage)
    this.#asks = new Asks(this.#outbox, {
      send: (frame) => this.socket.send(frame),
      tell: (ask, name, detail) =>
        emit(elementOf(ask), name, { clientId: ask.item.id, data: ask.item.data, ...detail }),
      busy: setBusy,
      find: formFor,
    })
    this.#httpQueue = new HttpQueue({
      next: () => this.#nextToPost(),
      post: (ask) => this.#post(ask),
      ended: (ask, outcome) => this.#posted(ask, outcome),
    })
    this.socket = this.#connect()
    // After the page's own scripts have added listeners.
    if (this.#owner !== null) queueMicrotask(() => restoreDrafts(url, this.#owner))
  }

  /** Whether the server has closed the connection for good. */
  get isEnded() {
    return this.socket.isFinal
  }

  /** Whether actions can be sent now, by socket. */
  get isConnected() {
    return this.socket.isOpen && !this.socket.isStream
  }

  #connect() {
    return new Socket({
      probeAddress: () => this.#url().href,
      address: () => this.#address(),
      hello: (frame) => this.#hello(frame),
      ready: () => this.#sendWaiting(),
      frame: (frame) => this.#receive(frame),
      lost: () => this.#lost(),
      closed: (code) => this.#closed(code),
      stranger: () => this.#offerSignIn(),
      refused: () => this.#leaveIfRefused(),
      state: setState,
      transport: setTransport,
    })
  }

  close() {
    this.#isClosed = true
    this.socket.close()
    this.#asks.close()
  }

  hide() {
    if (this.#isLeaving || this.socket.isFinal) keepDrafts(this.url, this.#owner)
    this.socket.close()
  }

  show() {
    forgetDrafts(this.url, this.#owner) // the page itself returned from the cache
    this.socket.connect()
  }

  /**
   * Sends an action, now or as soon as the page is connected.
   *
   * @param {string} action
   * @param {any} data with a `client_id`, which may be empty: kept until it is answered
   * @param {Element | null} element
   * @param {boolean} [isChange] whether a newer change of this element replaces it
   * @returns {string | null} the id; `null` if it was refused, or not sent
   */
  send(action, data, element, isChange) {
    const sound = wellFormedData(data)
    if (!("client_id" in sound)) return this.#asks.sendOnce(action, sound, element, isChange)
    const ask = this.#keep(action, sound, element)
    if (!ask) return null
    this.#asks.transmit(ask)
    if (this.socket.isOpen) this.#httpQueue.run()
    return ask.item.id
  }

  /**
   * Sends a form by HTTP after the server has closed the socket for good, if the same person is
   * still signed in. Otherwise the action stays in the outbox until that person returns, and the
   * browser goes to the URL to which the server redirects.
   *
   * @param {string} action
   * @param {any} data
   * @param {HTMLFormElement} form
   */
  async sendAfterEnd(action, data, form) {
    if (this.#isLeaving) return
    this.#isLeaving = true
    const session = await checkSession()
    this.#isLeaving = false
    if (!session) return refuse(form, data, NOT_CONNECTED)
    if (!this.#keep(action, wellFormedData(data), form)) return
    if (session.same) return this.#httpQueue.run()
    this.#isLeaving = true
    location.assign(session.url)
  }

  /**
   * Ends an ask without an answer.
   *
   * @param {string} id
   * @returns {boolean} whether it was still unanswered
   */
  cancel(id) {
    const ask = this.#asks.cancel(id)
    if (!ask) return false
    // The browser would transmit it later.
    if (this.socket.hasUnsentBytes) this.socket.connect()
    return true
  }

  /** The asks that have no answer yet. */
  pending() {
    return this.#asks.pending()
  }

  reconnect() {
    if (!this.socket.isFinal) this.socket.restart()
  }

  /**
   * Compares the page with the socket after a swap over HTTP, which may contain another location,
   * and lists at other positions than the socket's. Reconnects if they differ.
   */
  synchronize() {
    const differs = [...pagePositions()].some(([feed, seq]) => this.#positions.get(feed) !== seq)
    if ((differs || pageLocation() !== this.#knownLocation) && !this.socket.isFinal)
      this.socket.connect()
  }

  // The socket's URL with the page's location and the position of every feed. Frames that are not
  // yet applied are dropped, since the server sends them again.
  #address() {
    this.#waiting = []
    this.#noteLocation()
    this.#notePositions()
    return `${this.#url().href}&hello=1${sinceQuery(this.#positions)}`
  }

  #url() {
    const address = new URL(this.url, location.href)
    address.protocol = address.protocol.replace("http", "ws")
    address.searchParams.set("dialect", "htmx")
    address.searchParams.set("at", pageLocation())
    return address
  }

  // Another location has other feeds; the positions of the former ones become stale.
  #noteLocation() {
    if (pageLocation() === this.#knownLocation) return
    this.#knownLocation = pageLocation()
    this.#positions.clear()
  }

  #notePositions() {
    this.#positions = new Map([...this.#positions, ...pagePositions()])
  }

  // Only the person for whom the page was made may send what waits in it.
  #hello(/** @type {unknown} */ frame) {
    const hello = typeof frame === "string" ? readFrame(frame).hello : null
    if (!hello) return "missing"
    if (!this.#outbox.admits(hello.person)) return "stranger"
    for (const item of claimUnowned(tabStorage, hello.person)) this.#drop(item)
    if (this.#owner === null) restoreDrafts(this.url, null)
    return "welcome"
  }

  /** @param {Item} item of another person */
  #drop(item) {
    this.#asks.cancel(item.id)
    refuse(document.getElementById(item.form), item.data, ANOTHER_PERSON, item.id)
  }

  #sendWaiting() {
    if (this.socket.isStream) {
      this.#asks.kept() // reports those of an earlier page
      this.#httpQueue.run()
    } else {
      this.#asks.resend()
    }
  }

  /**
   * @param {string} action
   * @param {any} data with a `client_id`
   * @param {Element | null} element
   */
  #keep(action, data, element) {
    const id = data.client_id || randomId()
    return this.#asks.keep(
      { id, action, data: { ...data, client_id: id }, form: idOf(element) },
      element,
    )
  }

  #nextToPost() {
    if (this.#isClosed || !(this.socket.isStream || this.socket.isFinal)) return undefined
    return this.#asks.kept().find((ask) => elementOf(ask) instanceof HTMLFormElement)
  }

  /** @param {Ask} ask */
  #post(ask) {
    this.#asks.begin(ask)
    return postForm(/** @type {HTMLFormElement} */ (elementOf(ask)), ask.item.data)
  }

  /**
   * @param {Ask} ask
   * @param {Outcome} outcome
   */
  #posted(ask, outcome) {
    if (outcome.result === "accepted") this.#accepted(ask)
    else if (outcome.result === "refused")
      this.#asks.refused(ask.item.id, outcome.error, outcome.field)
    else this.#asks.pause(ask)
    if (outcome.result === "unanswered") this.#unanswered(ask, outcome.session.url)
  }

  /** @param {Ask} ask */
  #accepted(ask) {
    markSent(ask)
    this.#asks.answered(ask.item.id)
    // A newly loaded page shows what was accepted, since no frame can.
    if (this.socket.isFinal && !this.#nextToPost())
      location.replace(location.pathname + location.search)
  }

  /**
   * @param {Ask} ask
   * @param {string} url
   */
  #unanswered(ask, url) {
    emit(elementOf(ask), "unanswered", { clientId: ask.item.id, data: ask.item.data })
    offerSignIn(url)
  }

  #receive(/** @type {unknown} */ frame) {
    if (typeof frame !== "string") return console.warn("bellwire: a binary frame is ignored")
    if (this.#waiting.length >= MAX_WAITING) return this.socket.connect()
    this.#waiting.push(frame)
    if (!this.#isApplying) this.#applyWaiting()
  }

  async #applyWaiting() {
    this.#isApplying = true
    try {
      while (this.#waiting.length && !this.#isClosed) {
        await this.#apply(readFrame(String(this.#waiting.shift())))
      }
    } finally {
      this.#isApplying = false
    }
  }

  async #apply(/** @type {Frame} */ frame) {
    this.#removeOutdated(frame)
    this.#prepare(frame)
    const before = pageLocation()
    const changes = await applyFrame(frame, this.#htmx)
    if (pageLocation() !== before) this.#noteLocation() // the server moved the page to another location
    if (frame.feed && frame.seq) this.#move(frame.feed, frame.seq)
    for (const answer of frame.answers) this.#answered(answer)
    if (!frame.hello) emit(document, "applied", { feed: frame.feed, seq: frame.seq })
    this.#notePositions()
    this.#changed(changes)
  }

  // An error about what somebody typed before is no longer of interest.
  #removeOutdated(/** @type {Frame} */ frame) {
    const outdated = frame.answers.filter(({ clientId }) => this.#asks.isOutdated(clientId))
    frame.answers = frame.answers.filter((answer) => !outdated.includes(answer))
    frame.patches = frame.patches.filter(
      (patch) => !outdated.some(({ element }) => element === patch),
    )
  }

  // What an ask has caused replaces its fields; errors go to its form.
  #prepare(/** @type {Frame} */ { answers, results }) {
    for (const { clientId, error } of answers) if (error === null) results.add(clientId)
    for (const answer of answers.filter(({ error }) => error !== null)) {
      results.delete(answer.clientId)
      directError(answer, formOf(this.#asks.get(answer.clientId)))
    }
    for (const id of results) markSent(this.#asks.get(id))
  }

  /** @param {import("./frames.js").FrameAnswer} answer */
  #answered({ clientId, error, field }) {
    if (error === null) this.#asks.answered(clientId)
    else this.#asks.refused(clientId, error, field)
  }

  /**
   * @param {string} feed
   * @param {string} seq
   */
  #move(feed, seq) {
    this.#positions.set(feed, seq)
    for (const list of document.querySelectorAll(`[data-feed="${CSS.escape(feed)}"]`))
      list.setAttribute("data-seq", seq)
  }

  // The server knows nothing of a former connection: presence and typing notices are sent again.
  #lost() {
    for (const container of document.querySelectorAll("[data-bw-state]"))
      container.replaceChildren()
    this.#asks.lost()
  }

  // 1009: an action was too big for the server. Sent again, it would end the next connection as
  // well. 1008: not allowed, or no longer allowed.
  #closed(/** @type {number} */ code) {
    if (code === 1008) this.#offerSignIn()
    if (code !== 1009) return
    const [biggest] = this.#outbox.items().sort((a, b) => frameOf(b).length - frameOf(a).length)
    if (biggest) this.#asks.refused(biggest.id, TOO_LONG)
  }

  async #offerSignIn() {
    const session = await checkSession()
    if (session?.same === false && this.socket.isFinal && !this.#isClosed) offerSignIn(session.url)
  }

  /**
   * Called when handshakes are refused. If the server refuses the page as well, reloading it shows
   * the reason (usually the login page). Returns whether the page can be loaded: then the network
   * may be what refuses the socket.
   */
  async #leaveIfRefused() {
    const session = await checkSession()
    if (!session) return false
    const isRefused = session.status >= 400 && ![405, 408, 429].includes(session.status)
    if (session.same && !isRefused) return true
    if (Date.now() - Number(tabStorage.get(RELOADED)) < RELOAD_PAUSE) return false
    tabStorage.set(RELOADED, Date.now())
    this.#isLeaving = true
    location.reload()
    return false
  }
}

/** Drops what pages without an owner left in this tab, if this page has one. */
export function dropFormerPages() {
  if (ownerOf(document) === null) return
  for (const item of dropUnowned(tabStorage)) refuse(null, item.data, ANOTHER_PERSON, item.id)
}

/**
 * Posts fields to the action of a form once, as the fallback for the socket, and shows the error, if
 * any.
 *
 * @param {HTMLFormElement} form
 * @param {any} data
 * @returns {Promise<Outcome>}
 */
export async function postForm(form, data) {
  const url = form.getAttribute("action") ?? ""
  const person = actingPerson(tabStorage, ownerOf(document))
  const answer = await post({ url, data, person, findError })
  if (answer.result === "refused") showError(form, answer)
  return outcomeOf(answer, checkSession)
}

/** feed → seq, of all lists of the page */
function pagePositions() {
  const lists = [...document.querySelectorAll(/** @type {"div"} */ ("[data-feed][data-seq]"))]
  return oldestPositions(lists.map(({ dataset }) => dataset))
}
