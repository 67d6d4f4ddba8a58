// Where the view of a room stands. At its end it stays at the end; anywhere else nothing that comes moves it.

const TOLERANCE_PX = 16

export class View {
  #scroller
  #list
  #moved // called when the view reaches or leaves the end
  #top = 0
  pinned = true

  constructor({ scroller, list, moved }) {
    this.#scroller = scroller
    this.#list = list
    this.#moved = moved
    this.#hold()
  }

  /** Only a move upwards leaves the end: a list that grew between our scroll and its event did not move. Returns whether it was one. */
  scrolled() {
    const { scrollHeight, scrollTop, clientHeight } = this.#scroller
    const up = scrollTop < this.#top
    if (scrollHeight - scrollTop - clientHeight <= TOLERANCE_PX) this.#pin(true)
    else if (up) this.#pin(false)
    this.#top = scrollTop
    return up
  }

  /** Stays at the end when the view was there; otherwise leaves it where it is. */
  follow() {
    if (this.pinned) this.scrolled() // somebody may have scrolled a moment ago, and the event is still to come
    if (!this.pinned) return
    this.#scroller.scrollTop = this.#scroller.scrollHeight
    this.#top = this.#scroller.scrollTop
  }

  toEnd() {
    this.#top = 0 // wherever it was
    this.#pin(true)
    this.follow()
  }

  /** Puts a message in the middle. */
  show(item) {
    this.#pin(false)
    item.scrollIntoView({ block: "center" })
    this.#top = this.#scroller.scrollTop
    this.scrolled()
  }

  /** Changes the list above what is looked at, which stays where it is. */
  keep(change) {
    const anchor = this.#anchor()
    const before = anchor?.getBoundingClientRect().top
    change()
    if (!anchor?.isConnected) return
    this.#scroller.scrollTop += anchor.getBoundingClientRect().top - before
    this.#top = this.#scroller.scrollTop
  }

  isNear(pixels) {
    return this.#scroller.scrollTop < pixels
  }

  get isFilled() {
    return this.#scroller.scrollHeight > this.#scroller.clientHeight
  }

  /** Whether the end of the list can be seen. */
  get showsNewest() {
    const last = this.#list.lastElementChild
    if (!last) return true
    return last.getBoundingClientRect().bottom <= this.#scroller.getBoundingClientRect().bottom + TOLERANCE_PX
  }

  // The text of the first message that can be seen: lines above it may come and go.
  #anchor() {
    const { top } = this.#scroller.getBoundingClientRect()
    const item = [...this.#list.children].find((each) => textOf(each).getBoundingClientRect().bottom > top)
    return item && textOf(item)
  }

  #pin(pinned) {
    if (this.pinned === pinned) return
    this.pinned = pinned
    this.#hold()
    this.#moved()
  }

  // The browser holds what is looked at where it is. At the end that would look like a move upwards: there we hold on ourselves.
  #hold() {
    this.#scroller.style.overflowAnchor = this.pinned ? "none" : "auto"
  }
}

const textOf = (item) => item.querySelector(".message__text") ?? item
