// What is unread in one room: what the server counted when it rendered the link, and what has come since.

const MOST_KEPT = 200 // of what came since; "99+" is shown long before

export class Unread {
  #counted // { all, named } up to #newest
  #newest
  #read
  #since = new Map() // seq → whether I am named in it

  constructor({ dataset }, newest, read) {
    this.#counted = { all: Number(dataset.unread) || 0, named: Number(dataset.mentions) || 0 }
    this.#newest = newest
    this.#read = read
    this.isMarked = false // by me, as unread from some place on: this shows even where I look
  }

  get all() {
    return this.#counted.all + this.#since.size
  }

  get named() {
    return this.#counted.named + [...this.#since.values()].filter(Boolean).length
  }

  /** Somebody else said something; it may be told twice, as news and as an alert. */
  came(seq, named = false) {
    if (seq <= this.#newest || seq <= this.#read) return
    this.#since.set(seq, named || this.#since.get(seq) === true)
    if (this.#since.size > MOST_KEPT) this.#since.delete(this.#since.keys().next().value)
  }

  /** I have read up to here, in whichever window. `left` is what the page itself sees after it, if it shows the room. */
  readTo(seq, left) {
    if (seq === this.#read) return
    this.isMarked = seq < this.#read
    this.#read = seq
    if (left) return this.counted(left)
    for (const each of this.#since.keys()) if (each <= seq) this.#since.delete(each)
    this.#counted = this.isMarked ? { ...this.#counted, all: Math.max(1, this.#counted.all) } : { all: 0, named: 0 }
  }

  /** What is unread of what came up to `newest`, whoever counted it. */
  counted({ all, named, newest }) {
    this.#counted = { all, named }
    this.#newest = Math.max(this.#newest, newest)
    for (const each of this.#since.keys()) if (each <= newest) this.#since.delete(each)
  }
}
