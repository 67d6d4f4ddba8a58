// Unread counts of one room: what the server counted when it rendered the link, and what has
// arrived since.

const MOST_KEPT = 200 // sequence numbers since the count; the page shows "99+" long before

export class Unread {
  #counted // { all, named } up to #newest
  #newest
  #read
  #since = new Map() // seq → whether the message mentions me

  constructor({ dataset }) {
    this.#counted = { all: Number(dataset.unread) || 0, named: Number(dataset.mentions) || 0 }
    this.#newest = Number(dataset.newest) || 0
    this.#read = Number(dataset.read) || 0
    this.isMarked = false // the user marked messages as unread: the count shows in the open room too
  }

  get all() {
    return this.#counted.all + this.#since.size
  }

  get named() {
    return this.#counted.named + [...this.#since.values()].filter(Boolean).length
  }

  /** Counts a message of another user. It may arrive twice, as an update and as an alert. */
  came(seq, named = false) {
    if (seq <= this.#newest || seq <= this.#read) return
    this.#since.set(seq, named || this.#since.get(seq) === true)
    if (this.#since.size > MOST_KEPT) this.#since.delete(this.#since.keys().next().value)
  }

  /**
   * Handles that the user has read up to `seq`, in any window. `left` are the counts of what the
   * page itself shows after it, if it shows the room.
   */
  readTo(seq, left) {
    if (seq === this.#read) return
    this.isMarked = seq < this.#read
    this.#read = seq
    if (left) return this.counted(left)
    for (const each of this.#since.keys()) if (each <= seq) this.#since.delete(each)
    this.#counted = this.isMarked ? { ...this.#counted, all: Math.max(1, this.#counted.all) } : { all: 0, named: 0 }
  }

  /** Sets the counts of unread messages up to `newest`. */
  counted({ all, named, newest }) {
    this.#counted = { all, named }
    this.#newest = Math.max(this.#newest, newest)
    for (const each of this.#since.keys()) if (each <= newest) this.#since.delete(each)
  }
}
