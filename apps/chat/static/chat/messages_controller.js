// Controller of the list of messages. The server sends the same bytes to everyone, so the user's
// own messages, new messages, groups of messages and the scroll position are handled here. The
// parts are in ./messages/.

import { application, Controller } from "../app.js"
import { dress, untilMidnight } from "./messages/days.js"
import { Notices, Typing } from "./messages/line.js"
import { Older } from "./messages/older.js"
import { Reading, seqOf } from "./messages/reading.js"
import { Tools } from "./messages/tools.js"
import { View } from "./messages/view.js"

const ANNOUNCED_AT_ONCE = 3 // if more arrive together, only their number is announced

application.register("messages", class extends Controller {
  static targets = ["scroller", "content", "list", "older", "jump", "fresh", "announcer", "typing", "notices", "tools", "unseen"]

  connect() {
    this.me = document.documentElement.dataset.user
    this.waiting = 0 // messages that arrived while the view was not at the end
    this.isLive = this.listTarget.hasAttribute("data-feed")
    this.makeParts()
    this.dress()
    this.known = this.ids()
    this.newest = seqOf(this.listTarget.lastElementChild) || 0
    this.observe()
    // Without JavaScript the style sheet keeps the view at the bottom. From here on the script
    // does.
    this.scrollerTarget.classList.add("room__scroll--live")
    this.begin()
  }

  disconnect() {
    this.listeners.abort()
    this.arrivals.disconnect()
    this.sizes.disconnect()
    clearTimeout(this.midnight)
    for (const part of [this.reading, this.older, this.tools, this.typing, this.notices]) part.close()
    this.scrollerTarget.classList.remove("room__scroll--live")
  }

  makeParts() {
    const list = this.listTarget
    this.view = new View({ scroller: this.scrollerTarget, list, moved: () => this.moved() })
    this.reading = new Reading({
      list,
      me: this.me,
      room: Number(this.element.dataset.room),
      lastRead: Number(this.element.dataset.lastRead),
      firstUnread: this.element.dataset.firstUnread && Number(this.element.dataset.firstUnread),
      isNewestInView: () => this.isLive && this.view.showsNewest,
    })
    const link = this.hasOlderTarget ? this.olderTarget : null
    this.older = new Older({ list, content: this.contentTarget, view: this.view, link })
    this.older.onChange = (items) => this.prepended(items)
    this.typing = new Typing(this.typingTarget, this.me)
    this.notices = new Notices(this.noticesTarget, this.me)
    this.tools = new Tools({
      template: this.toolsTarget,
      list,
      may: (item) => ({ edit: this.isMine(item), delete: this.isMine(item) || this.isAdmin }),
      does: {
        edit: (item) => this.dispatch("edit", { detail: { item } }),
        unread: (item) => this.markUnread(item),
        gone: () => this.dispatch("gone"),
      },
    })
  }

  observe() {
    this.arrivals = new MutationObserver((records) => records.every(isOfTools) || this.changed())
    this.arrivals.observe(this.listTarget, { childList: true, characterData: true, subtree: true })
    this.sizes = new ResizeObserver(() => this.view.follow())
    this.sizes.observe(this.scrollerTarget)
    this.sizes.observe(this.contentTarget)
    this.listeners = new AbortController()
    const { signal } = this.listeners
    document.addEventListener("visibilitychange", () => this.seen(), { signal })
    document.addEventListener("bellwire:state", () => this.reading.look(), { signal })
    document.addEventListener("chat:notice", ({ detail }) => this.notices.show(detail), { signal })
    window.addEventListener("focus", () => this.reading.look(), { signal })
    this.wakeAtMidnight()
  }

  // Scrolls to the end, or to the message in the URL.
  begin() {
    const named = this.named()
    if (named) {
      this.view.show(named)
      named.classList.add("message--found")
    } else {
      this.jumpToEnd()
    }
    if (!this.view.isFilled) this.older.look()
    this.reading.look()
  }

  named() {
    const byId = document.getElementById(location.hash.slice(1))
    if (byId && this.listTarget.contains(byId)) return byId
    const at = new URLSearchParams(location.search).get("at")
    return at ? [...this.listTarget.children].find((item) => seqOf(item) >= Number(at)) : undefined
  }

  changed() {
    const fresh = [...this.listTarget.children].filter((item) => !this.known.has(item.id))
    const arrived = fresh.filter((item) => seqOf(item) > this.newest)
    const ids = this.ids()
    const gone = [...this.known].filter((id) => !ids.has(id))
    this.reading.arrived(arrived)
    this.known = ids
    this.newest = Math.max(this.newest, seqOf(this.listTarget.lastElementChild) || 0)
    for (const item of this.older.trim()) this.known.delete(item.id)
    if (fresh.length && gone.length) this.older.lead()
    this.dress()
    this.tools.restore()
    this.view.follow()
    if (gone.length) this.dispatch("removed", { detail: { ids: gone } })
    if (arrived.length) this.arrived(arrived)
  }

  arrived(items) {
    const theirs = items.filter((item) => !this.isMine(item))
    this.dispatch("arrived", { detail: { items } })
    if (!this.view.pinned) this.count(this.waiting + theirs.length)
    this.announce(theirs)
    this.reading.look()
  }

  // Handles older messages, which are neither counted nor announced.
  prepended(items) {
    for (const item of items) this.known.add(item.id)
    this.dress()
  }

  // Idempotent: runs after every change and updates only what differs.
  dress() {
    dress(this.listTarget, { me: this.me, isFirstUnread: this.reading.isFirstUnread })
    if (this.hasUnseenTarget && this.reading.isLoaded) this.unseenTarget.remove()
    this.tools.dress()
  }

  announce(items) {
    if (items.length === 0) return
    const words = items.length > ANNOUNCED_AT_ONCE
      ? `${items.length} new messages`
      : items.map((item) => `${authorOf(item)}: ${item.querySelector(".message__text")?.innerText.trim()}`).join("\n")
    // A screen reader announces the same text again only if the content changes.
    const again = this.announcerTarget.textContent === words ? "\u00a0" : ""
    this.announcerTarget.textContent = words + again
  }

  /** Handles that a message from this window is in the list. */
  spoke({ detail: { item } }) {
    this.reading.spoke(item)
    this.dress()
  }

  /** Scrolls to the end when the composer shows a pending message. */
  sent() {
    if (this.isLive) this.jumpToEnd()
    else this.toNewestPage()
  }

  scrolled() {
    if (this.view.scrolled()) this.older.look()
    this.reading.look()
  }

  jump() {
    if (!this.isLive) return this.toNewestPage()
    const hadFocus = this.jumpTarget === document.activeElement
    this.jumpToEnd()
    if (hadFocus) this.scrollerTarget.focus({ preventScroll: true })
  }

  jumpToEnd() {
    this.view.toEnd()
    for (const item of this.older.trim()) this.known.delete(item.id)
    this.view.follow()
    this.reading.look()
  }

  toNewestPage() {
    location.assign(this.element.querySelector(".room__newer a").href)
  }

  moved() {
    if (this.view.pinned) this.count(0)
    this.jumpTarget.hidden = this.view.pinned
  }

  count(waiting) {
    this.waiting = waiting
    this.jumpTarget.classList.toggle("jump--fresh", waiting > 0)
    this.freshTarget.textContent = waiting > 0 ? `${waiting} new` : ""
  }

  markUnread(item) {
    const isSent = this.reading.markUnread(item)
    if (isSent) this.view.keep(() => this.dress())
    return isSent
  }

  seen() {
    if (document.hidden) return
    this.dress()
    this.reading.look()
  }

  wakeAtMidnight() {
    this.midnight = setTimeout(() => {
      this.dress()
      this.wakeAtMidnight()
    }, untilMidnight())
  }

  isMine(item) {
    return this.me !== undefined && item.dataset.author === this.me
  }

  get isAdmin() {
    return this.element.closest("[data-admin]") !== null
  }

  ids() {
    return new Set(Array.from(this.listTarget.children, (item) => item.id))
  }
})

// Moving the toolbar between messages does not change the messages.
function isOfTools({ target, addedNodes, removedNodes }) {
  if (target.closest?.(".tools")) return true
  const nodes = [...addedNodes, ...removedNodes]
  return nodes.length > 0 && nodes.every((node) => node.matches?.(".tools"))
}

function authorOf(item) {
  return item.querySelector(".message__author")?.textContent
}
