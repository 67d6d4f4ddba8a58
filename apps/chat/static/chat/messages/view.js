// Scroll position of a room. At the end, the view follows new messages; elsewhere they do not move
// it.

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

  /**
   * Handles a scroll event and returns whether the view moved up. Only a move up leaves the end:
   * the list may grow between a scroll by script and its event.
   */
  scrolled() {
    const { scrollHeight, scrollTop, clientHeight } = this.#scroller
    const up = scrollTop < this.#top
    if (scrollHeight - scrollTop - clientHeight <= TOLERANCE_PX) this.#pin(true)
    else if (up) this.#pin(false)
    this.#top = scrollTop
    return up
  }

  /** Scrolls to the end if the view was there; otherwise does nothing. */
  follow() {
    if (this.pinned) this.scrolled() // the event of a recent scroll may be pending
    if (!this.pinned) return
    this.#scroller.scrollTop = this.#scroller.scrollHeight
    this.#top = this.#scroller.scrollTop
  }

  toEnd() {
    this.#top = 0 // forget the previous position
    this.#pin(true)
    this.follow()
  }

  /** Scrolls a message to the middle. */
  show(item) {
    this.#pin(false)
    item.scrollIntoView({ block: "center" })
    this.#top = this.#scroller.scrollTop
    this.scrolled()
  }

  /** Changes the list while the visible messages stay in place. */
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

  /** Whether the end of the list is visible. */
  get showsNewest() {
    const last = this.#list.lastElementChild
    if (!last) return true
    return last.getBoundingClientRect().bottom <= this.#scroller.getBoundingClientRect().bottom + TOLERANCE_PX
  }

  // The text of the first visible message. The lines above the text may appear and disappear.
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

  // Scroll anchoring of the browser keeps the visible messages in place. At the end it would look
  // like a move up, so it is off there.
  #hold() {
    this.#scroller.style.overflowAnchor = this.pinned ? "none" : "auto"
  }
}

const textOf = (item) => item.querySelector(".message__text") ?? item
