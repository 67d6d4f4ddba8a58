// The connection of a page, as long as it has its `bw-connect`: socket, feed positions, and pending
// actions.

import { idOf, settle, valuesOf } from "./controls.js"
import { forget, keep, restore } from "./drafts.js"
import { aim, apply, read } from "./frames.js"
import { freshId, Outbox, TOO_LONG, tooLong, wire } from "./outbox.js"
import { look } from "./person.js"
import { post } from "./post.js"
import { Socket } from "./socket.js"
import { emit, offerSignIn } from "./state.js"
import { where } from "./where.js"

const MOST_WAITING = 500 // frames; beyond it the page reconnects and catches up from its positions
const RELOAD_PAUSE = 60_000 // ms between two reloads after refused handshakes
const POST_AGAIN = 5_000 // ms until an unanswered action is sent by HTTP again
const NOT_CONNECTED = "You are not connected."
const RELOADED = "bellwire:reloaded"

export class Page {
  #htmx // htmx's internal functions
  #changed // called after a frame is applied
  #asks = new Map() // client id → { item, form } of actions that are shown as pending
  #waiting = [] // frames that are not yet applied
  #busy = false
  #gone = false
  #posting = false
  #parting = false // the page is being left, because the server refuses its socket
  #told = where() // the location of the page (`bw-at`) as known to the server
  #positions = positions() // feed → seq, of the feeds of that location
  #outbox

  constructor(element, url, htmx, changed) {
    this.element = element
    this.url = url
    this.#htmx = htmx
    this.#changed = changed
    this.#outbox = new Outbox(url)
    this.socket = new Socket({
      url: () => this.#url().href,
      address: () => this.#address(),
      opened: () => this.#resend(),
      frame: (data) => this.#receive(data),
      closed: (code) => this.#closed(code),
      refused: () => this.#leaveWhenRefused(),
    })
    queueMicrotask(() => restore(url)) // after the page's own scripts have added listeners
  }

  close() {
    this.#gone = true
    this.socket.close()
  }

  hide() {
    if (this.#parting || this.socket.final) keep(this.url)
    this.socket.close()
  }

  show() {
    forget(this.url) // the page itself returned from the cache
    this.socket.connect()
  }

  /**
   * After the socket's final close: returns whether the form may be sent by HTTP, which requires
   * that the same user is signed in. Otherwise the action stays in the outbox until that user
   * returns, and the browser goes to the URL to which the server redirects.
   */
  async part(action, data, form) {
    if (this.#parting) return false
    this.#parting = true
    const now = await look()
    this.#parting = false
    if (now?.same) return true
    const item = { id: data.client_id, action, data, form: idOf(form) }
    const error = now ? this.#outbox.add(item) : NOT_CONNECTED
    if (error) return (this.#tell({ item, form }, "refused", { error, field: null }), false)
    this.#show(item, form)
    this.#parting = true
    location.assign(now.url)
    return false
  }

  /**
   * Sends an action, now or as soon as the page is connected. Returns its client id, or `null` if
   * it was refused.
   */
  send(action, data, form) {
    if (!("client_id" in data)) return this.#sendOnce(action, data, form)
    const id = data.client_id || freshId()
    const item = { id, action, data: { ...data, client_id: id }, form: idOf(form) }
    const error = this.#outbox.add(item)
    if (error) return (this.#tell({ item, form }, "refused", { error, field: null }), null)
    this.#show(item, form)
    this.#transmit(item)
    return id
  }

  /**
   * Compares the page with the socket after a swap over HTTP, which may contain answers, another
   * location, and lists at other positions than the socket's. Reconnects if they differ.
   */
  compare() {
    this.#lookForAnswers()
    const differs = [...positions()].some(([feed, seq]) => this.#positions.get(feed) !== seq)
    if ((differs || where() !== this.#told) && !this.socket.final) this.socket.connect()
  }

  // The socket's URL with the page's location and the position of every feed. Frames that are not
  // yet applied are dropped, since the server sends them again.
  #address() {
    this.#waiting = []
    this.#arrive()
    this.#updatePositions()
    const since = Array.from(this.#positions, (each) => `&since=${each.map(encodeURIComponent).join(":")}`)
    return this.#url().href + since.join("")
  }

  #url() {
    const address = new URL(this.url, location.href)
    address.protocol = address.protocol.replace("http", "ws")
    address.searchParams.set("dialect", "htmx")
    address.searchParams.set("at", where())
    return address
  }

  // Another location has other feeds; the positions of the former ones become stale.
  #arrive() {
    if (where() === this.#told) return
    this.#told = where()
    this.#positions.clear()
  }

  #updatePositions() {
    this.#positions = new Map([...this.#positions, ...positions()])
  }

  #sendOnce(action, data, form) {
    const text = wire({ action, data })
    if (!tooLong(text)) return this.socket.send(text) ? "" : null
    emit(form, "refused", { clientId: null, data, error: TOO_LONG, field: null })
    return null
  }

  #lookForAnswers() {
    for (const id of new Set([...this.#asks.keys(), ...this.#outbox.items().map((item) => item.id)])) {
      if (document.querySelector(`[data-client-id="${CSS.escape(id)}"]`)) this.#answered({ clientId: id, error: null })
    }
  }

  #resend() {
    this.#lookForAnswers()
    for (const item of this.#outbox.items()) {
      // Actions sent by an earlier page are shown as pending here as well.
      if (!this.#asks.has(item.id))
        this.#show(item, document.querySelector(`form[bw-send="${CSS.escape(item.action)}"]`))
      this.#transmit(item)
    }
  }

  #show(item, form) {
    const ask = { item, form }
    this.#asks.set(item.id, ask)
    this.#tell(ask, "queued")
  }

  #transmit(item) {
    if (this.socket.send(wire(item), true)) this.#tell(this.#asks.get(item.id), "sent")
    else if (this.socket.streaming && this.socket.open) this.#postWaiting()
  }

  // Sent one after the other, so that they arrive in order.
  async #postWaiting() {
    if (this.#posting) return
    this.#posting = true
    for (let next; (next = this.#nextToPost()); ) {
      this.#tell(next, "sent")
      const answer = await post(formOf(next), next.item.data)
      if (!answer) {
        setTimeout(() => this.#postWaiting(), POST_AGAIN)
        break
      }
      if (answer.error === null) this.#reached(next)
      this.#answered({ clientId: next.item.id, ...answer })
    }
    this.#posting = false
  }

  #nextToPost() {
    if (this.#gone || !this.socket.streaming) return null
    return this.#outbox.items().map(({ id }) => this.#asks.get(id)).find((ask) => ask && formOf(ask))
  }

  #tell(ask, name, more) {
    const { id, data } = ask.item
    emit(formOf(ask), name, { clientId: id, data, ...more })
  }

  #receive(data) {
    if (typeof data !== "string") return console.warn("bellwire: a binary frame is ignored")
    if (this.#waiting.length >= MOST_WAITING) return this.socket.connect()
    this.#waiting.push(data)
    if (!this.#busy) this.#applyWaiting()
  }

  async #applyWaiting() {
    this.#busy = true
    while (!this.#gone && this.#waiting.length) await this.#take(read(this.#waiting.shift()))
    this.#busy = false
  }

  async #take(frame) {
    const answers = frame.answers.filter(({ clientId }) => this.#asks.has(clientId))
    for (const answer of answers) {
      const ask = this.#asks.get(answer.clientId)
      if (answer.error === null) this.#reached(ask)
      else aim(answer, formOf(ask))
    }
    const before = where()
    await apply(frame, this.#htmx)
    if (where() !== before) this.#arrive() // the server moved the page to another location
    if (frame.feed) this.#move(frame.feed, frame.seq)
    for (const answer of answers) this.#answered(answer)
    emit(document, "applied", { feed: frame.feed, seq: frame.seq })
    this.#updatePositions()
    this.#changed()
  }

  #move(feed, seq) {
    this.#positions.set(feed, seq)
    for (const list of document.querySelectorAll(`[data-feed="${CSS.escape(feed)}"]`)) list.dataset.seq = seq
  }

  // The action reached the server: its fields no longer count as unsent.
  #reached(ask) {
    const { data } = ask.item
    const form = formOf(ask)
    if (form) settle(valuesOf(form).filter(([control]) => data[control.name] === control.value))
  }

  #answered({ clientId, error, field }) {
    const item = this.#outbox.take(clientId)
    const ask = this.#asks.get(clientId) ?? (item && { item })
    this.#asks.delete(clientId)
    if (ask && error === null) this.#tell(ask, "answered")
    else if (ask) this.#tell(ask, "refused", { error, field })
  }

  // 1009: an action was too big for the server. Sent again, it would end the next connection as
  // well. 1008: not allowed, or no longer allowed.
  #closed(code) {
    if (code === 1008) this.#offerSignIn()
    if (code !== 1009) return
    const [biggest] = this.#outbox.items().toSorted((a, b) => wire(b).length - wire(a).length)
    if (biggest) this.#answered({ clientId: biggest.id, error: TOO_LONG, field: null })
  }

  async #offerSignIn() {
    const now = await look()
    if (now?.same === false && this.socket.final && !this.#gone) offerSignIn(now.url)
  }

  /**
   * Called when handshakes are refused. If the server refuses the page as well, reloading it shows
   * the reason (usually the login page). Returns whether the page can be loaded: then the network
   * may be what refuses the socket.
   */
  async #leaveWhenRefused() {
    const now = await look()
    const refused = now?.status >= 400 && ![405, 408, 429].includes(now.status)
    if (!now || (now.same && !refused)) return now !== null
    if (Date.now() - Number(sessionStorage.getItem(RELOADED)) < RELOAD_PAUSE) return false
    sessionStorage.setItem(RELOADED, Date.now())
    this.#parting = true
    location.reload()
    return false
  }
}

// The form of an action; it may have been replaced since the action was sent.
const formOf = ({ item, form }) => (form?.isConnected ? form : item.form ? document.getElementById(item.form) : null)

/** feed → seq, from the page; of two lists of one feed the older one counts. */
function positions() {
  const found = new Map()
  for (const { dataset } of document.querySelectorAll("[data-feed][data-seq]")) {
    const known = found.get(dataset.feed)
    if (known === undefined || Number(dataset.seq) < Number(known)) found.set(dataset.feed, dataset.seq)
  }
  return found
}
