// How far I have read: the line above what was new when I came, and what the server is told.

import { send } from "../../bellwire.js"

const AT_MOST_EVERY_MS = 1_000

// Rooms in which this page has told once how far I am, news or not: from then on the server knows what is new to me there.
const entered = new Set()

export class Reading {
  #room
  #me
  #list
  #from = Infinity // the line stands above the first message from here on
  isLoaded = false // whether that message is in the list, or was: above another the line would be wrong
  #ofAnyone = false // …be it mine or not, where I set the line myself
  #told = 0 // what the server was told last, or knew before
  #toldAt = -Infinity
  #paused = false // I marked something unread: looking at it does not count
  #timer

  constructor({ room, me, list, lastRead, firstUnread, isNewestInView }) {
    this.#room = room
    this.#me = me
    this.#list = list
    this.#told = lastRead
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

  /** Messages came. While nobody looks, the line moves to where the looking ended; it does not move under a reader's eyes. */
  arrived(items) {
    const theirs = items.filter((item) => this.#isTheirs(item))
    if (!theirs.length || !document.hidden || this.#paused || this.#lineIsUnread()) return
    this.#from = seqOf(theirs[0])
    this.isLoaded = true
    this.#ofAnyone = false
  }

  /** Tells the server that the newest was read, if it was: not in a hidden tab, nor in one without the focus. */
  look() {
    if (this.#paused || !isAttentive() || !this.isNewestInView()) return
    const newest = seqOf(this.#list.lastElementChild) || 0
    if (newest <= this.#known() && entered.has(this.#room)) return
    const wait = this.#toldAt + AT_MOST_EVERY_MS - performance.now()
    clearTimeout(this.#timer)
    if (wait > 0) this.#timer = setTimeout(() => this.look(), wait)
    else this.#tell(newest)
  }

  /** Whoever answers has read what is there. */
  spoke(item) {
    this.#paused = false
    if (!document.hidden && seqOf(item) > this.#known()) this.#tell(seqOf(item))
  }

  /** Marks this message and what follows as unread. Returns whether the server was told. */
  markUnread(item) {
    if (send("Mark unread", { room: this.#room, seq: seqOf(item) }) === null) return false
    clearTimeout(this.#timer)
    this.#paused = true
    this.#told = seqOf(item) - 1
    this.#from = seqOf(item)
    this.isLoaded = true
    this.#ofAnyone = true
    return true
  }

  #tell(seq) {
    if (send("Read", { room: this.#room, seq }) === null) return // told when the connection is back
    entered.add(this.#room)
    this.#told = Math.max(this.#told, seq)
    this.#toldAt = performance.now()
  }

  // Another window may have read on.
  #known() {
    return Math.max(this.#told, Number(document.getElementById(`read--${this.#room}`)?.dataset.seq) || 0)
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
