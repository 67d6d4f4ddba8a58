// Controller of the list of rooms: the current room, unread counts of the others, and the count in
// the window title. The server sends the same bytes to everyone, so the user's own view is computed
// here.

import { application, Controller } from "../app.js"
import { ask, mayAsk, notify } from "./notify.js"
import { Unread } from "./unread.js"

const MOST_SHOWN = 99
const ALERTS_KNOWN = 200

application.register("sidebar", class extends Controller {
  static targets = ["rooms", "allow"]

  connect() {
    this.me = document.documentElement.dataset.user
    this.part = document.getElementById("room")
    this.links = new Map() // room → { item, unread }
    this.alerted = new Set() // ids of messages
    this.current = this.element.querySelector(".link__to[aria-current]")?.closest(".link").dataset.room
    this.listeners = new AbortController()
    const { signal } = this.listeners
    document.addEventListener("visibilitychange", () => this.looked(), { signal })
    document.addEventListener("bellwire:applied", () => this.entitle(), { signal })
    for (const name of ["newest", "counted", "read", "alert", "renamed"]) {
      document.addEventListener(`chat:${name}`, ({ detail }) => this.handle(name, detail), { signal })
    }
    this.looked()
    this.observe()
    this.allowTarget.hidden = !mayAsk()
    this.links.get(this.current)?.item.scrollIntoView({ block: "nearest" })
  }

  disconnect() {
    this.listeners.abort()
    this.changes.disconnect()
    if (document.title === this.written) document.title = this.base
  }

  observe() {
    this.changes = new MutationObserver((records) => this.changed(records))
    this.changes.observe(this.roomsTarget, { childList: true, subtree: true })
    this.changes.observe(this.part, { childList: true })
    this.changes.observe(document.head, { childList: true, subtree: true }) // the title
  }

  // Runs before the browser paints. Its own changes run it once more, which changes nothing.
  changed(records) {
    if (records.some(({ target }) => target === this.part)) this.looked()
    else this.draw()
  }

  // Handles an event about a room of the list, from the server.
  handle(name, detail) {
    const link = this.links.get(String(detail.room))
    if (link) this[name](link, detail)
    if (name === "alert") this.showAlert(detail)
    this.draw()
  }

  newest({ item, unread }, { seq, author }) {
    item.dataset.newest = seq
    if (String(author) !== this.me) unread.came(seq)
  }

  // After an edit or a deletion.
  counted({ unread }, { seq, unread: all, mentions: named }) {
    unread.counted({ all, named, newest: seq })
  }

  read({ item, unread }, { room, seq }) {
    item.dataset.read = seq
    unread.readTo(seq, this.left(String(room), seq))
  }

  // A mention or a direct message.
  alert({ unread }, { seq }) {
    unread.came(seq, true)
  }

  renamed({ item }, { name, path }) {
    item.querySelector(".link__name").textContent = name
    item.querySelector(".link__to").href = path
  }

  showAlert({ message, from, place, path, text }) {
    if (this.alerted.has(message)) return
    this.alerted.add(message)
    if (this.alerted.size > ALERTS_KNOWN) this.alerted.delete(this.alerted.values().next().value)
    const title = place ? `${from} in ${place}` : from
    notify({ id: `alert--${message}`, title, text, opened: () => this.open(message, path) })
  }

  // Scrolls to the message if the page shows it, because leaving the page could lose a draft.
  open(message, path) {
    const shown = document.getElementById(`message--${message}`)
    if (shown) shown.scrollIntoView({ block: "center" })
    else location.assign(path)
  }

  // Stores the newest message when the page becomes hidden. The title counts messages after it.
  looked() {
    this.away = document.hidden ? this.newestShown() : null
    this.draw()
  }

  draw() {
    this.shown = this.part.querySelector(".room[data-room]")?.dataset.room
    this.current = this.shown ?? (this.part.querySelector(".closed") ? undefined : this.current)
    this.learn()
    for (const [room, link] of this.links) this.drawLink(room, link)
    this.entitle()
  }

  learn() {
    const known = this.links
    this.links = new Map()
    for (const item of this.roomsTarget.querySelectorAll(".link")) {
      const { room } = item.dataset
      if (known.size > 0 && !known.has(room)) place(item)
      const link = known.get(room)?.item === item ? known.get(room) : { item, unread: new Unread(item) }
      this.links.set(room, link)
    }
  }

  drawLink(room, { item }) {
    const link = item.querySelector(".link__to")
    if (room === this.current) setAttribute(link, "aria-current", "page")
    else link.removeAttribute("aria-current")
    const [name, count] = [item.querySelector(".link__name"), this.countOf(room)]
    setAttribute(name, "title", name.textContent.trim()) // the full name, in case it is truncated
    item.classList.toggle("link--unread", this.isUnread(room))
    item.classList.toggle("link--deserted", item.querySelector("[id^='online--']")?.textContent === "0")
    write(item.querySelector(".link__badge"), short(count))
    write(item.querySelector(".link__words"), this.inWords(room))
  }

  inWords(room) {
    const count = this.countOf(room)
    if (count === 0) return this.isUnread(room) ? ", unread" : ""
    return `, ${short(count)} ${isDirect(this.links.get(room).item) ? "unread" : "for you"}`
  }

  isUnread(room) {
    return !this.isLookedAt(room) && this.links.get(room).unread.all > 0
  }

  // A conversation counts all unread messages, a room only mentions.
  countOf(room) {
    const { item, unread } = this.links.get(room)
    if (this.isLookedAt(room)) return 0
    return isDirect(item) ? unread.all : unread.named
  }

  isLookedAt(room) {
    return room === this.shown && !this.links.get(room).unread.isMarked
  }

  entitle() {
    if (document.title !== this.written) this.base = document.title
    const counts = [...this.links.keys()].map((room) => this.countOf(room))
    const count = counts.reduce((sum, each) => sum + each, this.away === null ? 0 : this.after(this.away).length)
    this.element.classList.toggle("chat--called", counts.some(Boolean))
    this.written = count ? `(${short(count)}) ${this.base}` : this.base
    if (document.title !== this.written) document.title = this.written
  }

  // Returns the messages of others after this sequence number that the page shows.
  after(seq) {
    return this.messages().filter(({ dataset }) => Number(dataset.place) > seq && dataset.author !== this.me)
  }

  left(room, seq) {
    if (room !== this.shown || !this.part.querySelector("#messages-list[data-feed]")) return undefined
    const left = this.after(seq)
    const named = left.filter(({ dataset }) => dataset.mentions?.split(" ").includes(this.me))
    return { all: left.length, named: named.length, newest: this.newestShown() }
  }

  newestShown() {
    return Math.max(0, ...this.messages().map(({ dataset }) => Number(dataset.place)))
  }

  messages() {
    return [...this.part.querySelectorAll("#messages-list > .message[data-place]")]
  }

  async allow() {
    await ask()
    this.allowTarget.hidden = !mayAsk()
    if (this.allowTarget.hidden) this.allowTarget.parentElement.querySelector("a")?.focus()
  }
})

// Moves a new room to the position that the server will give it. The others stay where they are.
function place(item) {
  const next = [...item.parentElement.children].find((other) => other !== item && keyOf(other) > keyOf(item))
  if (next && item.nextElementSibling !== next) next.before(item)
}

function keyOf(item) {
  return item.querySelector(".link__name").textContent.trim().toLowerCase().replaceAll(/\s+/g, "-")
}

function isDirect(item) {
  return item.hasAttribute("data-direct")
}

function short(count) {
  return count > MOST_SHOWN ? `${MOST_SHOWN}+` : count ? String(count) : ""
}

function write(element, text) {
  if (element && element.textContent !== text) element.textContent = text
}

function setAttribute(element, name, value) {
  if (element.getAttribute(name) !== value) element.setAttribute(name, value)
}
