// Decoration of a list of messages: local times, a line for each day, the user's own messages, and
// groups of messages. The server sends the same bytes to everyone.

const TOGETHER_MS = 5 * 60 * 1000

const clock = new Intl.DateTimeFormat(undefined, { hour: "numeric", minute: "2-digit" })
const whole = new Intl.DateTimeFormat(undefined, { dateStyle: "full", timeStyle: "short" })
const stamps = new WeakMap() // element → time of the message; an edit replaces the element

/** Decorates every message. Idempotent: runs after each change and updates only what differs. */
export function dress(list, { me, isFirstUnread }) {
  const now = new Date()
  let previous
  for (const item of list.children) {
    const sent = sentAt(item)
    const day = sent && (!previous || !isSameDay(sentAt(previous), sent)) ? nameOf(sent, now) : ""
    const unread = isFirstUnread(item)
    setLine(item, "unread", unread ? "New" : "")
    setLine(item, "day", day)
    item.classList.toggle("message--mine", me !== undefined && item.dataset.author === me)
    item.classList.toggle("message--mentions-me", names(item, me))
    item.classList.toggle("message--follows", !day && !unread && belongTogether(previous, item))
    showTimes(item, sent)
    previous = item
  }
}

/** Returns the milliseconds until the names of the days change. */
export function untilMidnight() {
  const now = new Date()
  return new Date(now.getFullYear(), now.getMonth(), now.getDate() + 1).getTime() - now.getTime() + 1_000
}

function sentAt(item) {
  if (!stamps.has(item)) {
    const sent = new Date(item.querySelector("time")?.dateTime)
    stamps.set(item, Number.isNaN(sent.getTime()) ? null : sent)
  }
  return stamps.get(item)
}

function belongTogether(earlier, later) {
  if (!earlier || earlier.dataset.author !== later.dataset.author) return false
  return Math.abs(sentAt(later) - sentAt(earlier)) < TOGETHER_MS
}

function names(item, me) {
  return me !== undefined && (item.dataset.mentions ?? "").split(" ").includes(me)
}

function isSameDay(one, other) {
  return one !== null && one.toDateString() === other.toDateString()
}

function nameOf(sent, now) {
  const daysAgo = Math.round((startOf(now) - startOf(sent)) / 86_400_000)
  if (daysAgo === 0) return "Today"
  if (daysAgo === 1) return "Yesterday"
  if (daysAgo > 1 && daysAgo < 7) return sent.toLocaleDateString(undefined, { weekday: "long" })
  const year = sent.getFullYear() === now.getFullYear() ? undefined : "numeric"
  return sent.toLocaleDateString(undefined, { weekday: "long", day: "numeric", month: "long", year })
}

const startOf = (date) => new Date(date.getFullYear(), date.getMonth(), date.getDate())

// The line is inside the message below it, because the list contains only messages.
function setLine(item, name, text) {
  let line = item.querySelector(`:scope > .message__${name}`)
  if (line?.textContent === text || (!line && !text)) return
  if (!text) return line.remove()
  if (!line) {
    line = document.createElement("p")
    line.className = `message__line message__${name}`
    line.append(document.createElement("span"))
    item.prepend(line)
  }
  line.firstChild.textContent = text
}

function showTimes(item, sent) {
  const time = item.querySelector(".message__time")
  if (!sent || !time || time.title) return
  time.textContent = clock.format(sent)
  time.title = whole.format(sent)
  const edited = item.querySelector(".message__edited")
  const at = new Date(edited?.dataset.at)
  if (!Number.isNaN(at.getTime())) edited.title = `Edited ${whole.format(at)}`
}
