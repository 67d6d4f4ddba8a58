// Reading position: the line above the messages that were new on entry, and reports to the server.

import { send } from "../../bellwire.js"

const AT_MOST_EVERY_MS = 1_000

// Rooms whose position this page has reported at least once, so that the server has a position
// there.
const entered = new Set()

export class Reading {
  #room
  #me
  #list
  #from = Infinity // the line is above the first message from this sequence number on
  isLoaded = false // whether that message is or was in the list: otherwise there is no line
  #ofAnyone = false // whether that message may be the user's own, after marking it as unread
  #reported = 0 // the last position that the server knows
  #reportedAt = -Infinity
  #paused = false // the user marked messages as unread: viewing them does not count as reading
  #timer

  constructor({ room, me, list, lastRead, firstUnread, isNewestInView }) {
    this.#room = room
    this.#me = me
    this.#list = list
    this.#reported = lastRead
    this.isNewestInView = isNewestInView
    this.#from = firstUnread ?? Infinity
  }

  close() {
    clearTimeout(this.#timer)
  }

  /** Whether the line "New" stands above this message. */
  get isFirstUnread() {
    this.isLoaded ||= seqOf(this.#list.firstElementChild) <= this.#from
    const first = this.#from === Infinity || !this.isLoaded ? undefined : this.#ofOthersAfter(this.#from - 1)
    return (item) => item === first
  }

  /**
   * Handles new messages. If the page is hidden, the line moves above them; it does not move while
   * somebody is reading.
   */
  arrived(items) {
    const theirs = items.filter((item) => this.#isTheirs(item))
    if (!theirs.length || !document.hidden || this.#paused || this.#lineIsUnread()) return
    this.#from = seqOf(theirs[0])
    this.isLoaded = true
    this.#ofAnyone = false
  }

  /** Reports the newest message as read if it is in view, the tab is visible and has the focus. */
  look() {
    if (this.#paused || !isAttentive() || !this.isNewestInView()) return
    const newest = seqOf(this.#list.lastElementChild) || 0
    if (newest <= this.#known() && entered.has(this.#room)) return
    const wait = this.#reportedAt + AT_MOST_EVERY_MS - performance.now()
    clearTimeout(this.#timer)
    if (wait > 0) this.#timer = setTimeout(() => this.look(), wait)
    else this.#report(newest)
  }

  /** Reports everything as read after the user has sent a message. */
  spoke(item) {
    this.#paused = false
    if (!document.hidden && seqOf(item) > this.#known()) this.#report(seqOf(item))
  }

  /** Marks this message and the following ones as unread. Returns whether that was sent. */
  markUnread(item) {
    if (send("Mark unread", { room: this.#room, seq: seqOf(item) }) === null) return false
    clearTimeout(this.#timer)
    this.#paused = true
    this.#reported = seqOf(item) - 1
    this.#from = seqOf(item)
    this.isLoaded = true
    this.#ofAnyone = true
    return true
  }

  #report(seq) {
    if (send("Read", { room: this.#room, seq }) === null) return // reported when the connection is back
    entered.add(this.#room)
    this.#reported = Math.max(this.#reported, seq)
    this.#reportedAt = performance.now()
  }

  // Another window may have reported a later position.
  #known() {
    return Math.max(this.#reported, Number(document.getElementById(`room-link--${this.#room}`)?.dataset.read) || 0)
  }

  #lineIsUnread() {
    return this.#from !== Infinity && this.#from > this.#known()
  }

  #ofOthersAfter(seq) {
    return [...this.#list.children].find((item) => seqOf(item) > seq && (this.#ofAnyone || this.#isTheirs(item)))
  }

  #isTheirs(item) {
    return item.dataset.author !== this.#me
  }
}

export const seqOf = (item) => Number(item?.dataset.place ?? NaN)

const isAttentive = () => document.visibilityState === "visible" && document.hasFocus()
