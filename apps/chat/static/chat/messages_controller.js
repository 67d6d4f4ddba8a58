// The list of messages, as this one person sees it: whose are mine, local times, which belong together,
// and where the view stands. The server sends the same bytes to everyone.

import { application, Controller } from "../app.js"

const BOTTOM_TOLERANCE_PX = 16
const TOGETHER_MS = 5 * 60 * 1000
const ANNOUNCED_AT_ONCE = 3 // more than these arriving together are only counted aloud

application.register("messages", class extends Controller {
  static targets = ["scroller", "content", "list", "jump", "announcer"]

  connect() {
    this.me = document.documentElement.dataset.user
    this.dress()
    this.known = new Set(this.ids())
    this.observe()
    // Until now the style sheet alone held the view at the bottom, for pages without JavaScript.
    this.scrollerTarget.classList.add("room__scroll--live")
    this.jump()
  }

  disconnect() {
    this.arrivals.disconnect()
    this.sizes.disconnect()
    this.scrollerTarget.classList.remove("room__scroll--live")
  }

  observe() {
    this.arrivals = new MutationObserver(() => this.changed())
    this.arrivals.observe(this.listTarget, { childList: true, characterData: true, subtree: true })
    this.sizes = new ResizeObserver(() => this.follow())
    this.sizes.observe(this.scrollerTarget)
    this.sizes.observe(this.contentTarget)
  }

  changed() {
    this.dress()
    this.follow()
    const fresh = [...this.listTarget.children].filter((item) => !this.known.has(item.id))
    if (fresh.length === 0) return
    this.known = new Set(this.ids())
    this.dispatch("arrived", { detail: { items: fresh } })
    this.announce(fresh.filter((item) => !this.isMine(item)))
  }

  // Idempotent: run after every change, it touches only what differs.
  dress() {
    let previous
    for (const item of this.listTarget.children) {
      item.classList.toggle("message--mine", this.isMine(item))
      item.classList.toggle("message--follows", previous !== undefined && belongTogether(previous, item))
      showLocalTime(item.querySelector("time"))
      previous = item
    }
  }

  announce(items) {
    if (items.length === 0) return
    this.jumpTarget.classList.toggle("jump--fresh", !this.pinned)
    this.announcerTarget.textContent = items.length > ANNOUNCED_AT_ONCE
      ? `${items.length} new messages`
      : items.map((item) => `${authorOf(item)}: ${item.querySelector(".message__text")?.textContent}`).join("\n")
  }

  // Only a move upwards leaves the bottom: a list that grew between our scroll and its event did not move.
  scrolled() {
    const { scrollHeight, scrollTop, clientHeight } = this.scrollerTarget
    if (scrollHeight - scrollTop - clientHeight <= BOTTOM_TOLERANCE_PX) this.pin(true)
    else if (scrollTop < this.top) this.pin(false)
    this.top = scrollTop
  }

  // Stays at the bottom when the view was there; otherwise leaves it where it is.
  follow() {
    if (!this.pinned) return
    this.scrollerTarget.scrollTop = this.scrollerTarget.scrollHeight
    this.top = this.scrollerTarget.scrollTop
  }

  jump() {
    this.pin(true)
    this.follow()
  }

  pin(pinned) {
    this.pinned = pinned
    if (pinned) this.jumpTarget.classList.remove("jump--fresh")
    if (this.jumpTarget.hidden === pinned) return
    const hadFocus = this.jumpTarget === document.activeElement
    this.jumpTarget.hidden = pinned
    if (hadFocus && pinned) this.scrollerTarget.focus({ preventScroll: true })
  }

  isMine(item) {
    return this.me !== undefined && item.dataset.author === this.me
  }

  ids() {
    return Array.from(this.listTarget.children, (item) => item.id)
  }
})

function belongTogether(earlier, later) {
  if (earlier.dataset.author !== later.dataset.author) return false
  return Math.abs(sentAt(later) - sentAt(earlier)) < TOGETHER_MS
}

function sentAt(item) {
  return Date.parse(item.querySelector("time")?.dateTime)
}

function authorOf(item) {
  return item.querySelector(".message__author")?.textContent
}

function showLocalTime(time) {
  const sent = new Date(time?.dateTime)
  if (Number.isNaN(sent.getTime())) return
  const today = sent.toDateString() === new Date().toDateString()
  const local = sent.toLocaleString(undefined, today
    ? { hour: "numeric", minute: "2-digit" }
    : { day: "numeric", month: "short", hour: "numeric", minute: "2-digit" })
  if (time.textContent === local) return
  time.textContent = local
  time.title = sent.toLocaleString(undefined, { dateStyle: "full", timeStyle: "short" })
}
