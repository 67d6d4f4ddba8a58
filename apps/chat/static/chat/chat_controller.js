// Controller of a chat window: switches between rooms over the socket, shows the list of rooms as a
// drawer on narrow screens, and closes open popups.

import { application, Controller } from "../app.js"
import { send, state } from "../bellwire.js"

const NARROW = matchMedia("(width < 44rem)") // as in chat.css
const KEYBOARD_PX = 80 // an on-screen keyboard covers more of the window than this

application.register("chat", class extends Controller {
  static targets = ["part", "list"]

  connect() {
    this.listeners = new AbortController()
    const { signal } = this.listeners
    document.addEventListener("keydown", (event) => this.pressed(event), { signal })
    document.addEventListener("click", (event) => this.clicked(event), { signal })
    NARROW.addEventListener("change", () => this.shut(), { signal })
    window.visualViewport?.addEventListener("resize", () => this.fit(), { signal })
    this.moves = new MutationObserver(() => this.moved())
    this.moves.observe(this.partTarget, { childList: true })
    this.shut()
    this.dress()
    if (location.hash === "#name") this.partTarget.querySelector(".rooms__open [name=name]")?.focus()
  }

  disconnect() {
    this.listeners.abort()
    this.moves.disconnect()
  }

  // Handles a plain click on a room while the socket is connected. Other clicks follow the link.
  go(event) {
    const link = event.currentTarget
    if (!isPlain(event) || state() !== "connected") return
    const isGroup = !link.parentElement.hasAttribute("data-direct")
    const groupName = link.querySelector(".link__name").textContent.trim() // may have changed since it was rendered
    const { room } = link.parentElement.dataset // names may look alike
    if (send("Change group", { groupName, isGroup, room }) === null) return
    event.preventDefault()
    this.shut()
  }

  // The arrow in a room's header: on a narrow screen it opens the list as a drawer over the room.
  list(event) {
    if (!isPlain(event) || !NARROW.matches) return
    event.preventDefault()
    this.element.classList.add("chat--drawer")
    this.partTarget.inert = true
    this.arrow()?.setAttribute("aria-expanded", "true")
    const current = this.listTarget.querySelector("[aria-current]") ?? this.listTarget.querySelector("a, input")
    current.focus()
  }

  shut(focus = false) {
    this.element.classList.remove("chat--drawer")
    this.partTarget.inert = false
    const arrow = this.arrow()
    if (NARROW.matches) arrow?.setAttribute("aria-expanded", "false")
    else arrow?.removeAttribute("aria-expanded")
    if (focus) arrow?.focus()
  }

  get isDrawn() {
    return this.element.classList.contains("chat--drawer")
  }

  arrow() {
    return this.partTarget.querySelector(".room__back")
  }

  moved() {
    this.shut()
    this.dress()
  }

  // "Create room", if the form is already on the page.
  open(event) {
    const field = this.partTarget.querySelector(".rooms__open [name=name]")
    if (!isPlain(event) || !field) return
    event.preventDefault()
    location.hash = field.id // shows the form on narrow screens
    field.focus()
  }

  pressed(event) {
    if (event.key !== "Escape" || event.defaultPrevented || event.isComposing) return
    const people = this.partTarget.querySelector(".room__people[open]")
    if (people) return this.close(people)
    if (this.isDrawn && !event.target.closest?.("[type=search]")?.value) this.shut(true)
  }

  close(details) {
    const hadFocus = details.contains(document.activeElement)
    details.open = false
    if (hadFocus) details.querySelector("summary").focus()
  }

  clicked({ target }) {
    const people = this.partTarget.querySelector(".room__people[open]")
    if (people && !people.contains(target)) people.open = false
    if (this.isDrawn && target === this.element) this.shut(true)
  }

  // Adds what the server does not render: local times, and highlights of search results.
  dress() {
    for (const time of this.partTarget.querySelectorAll(".found time")) {
      const at = new Date(time.dateTime)
      if (Number.isNaN(at.getTime())) continue
      time.textContent = at.toLocaleString(undefined, { dateStyle: "medium", timeStyle: "short" })
    }
    this.highlight(this.partTarget.querySelector(".search")?.dataset.query)
  }

  highlight(query) {
    if (!window.CSS?.highlights) return
    CSS.highlights.delete("found")
    if (!query) return
    const texts = [...this.partTarget.querySelectorAll(".found__text")].flatMap(textsOf)
    const ranges = texts.flatMap((text) => rangesOf(text, query.toLowerCase()))
    if (ranges.length) CSS.highlights.set("found", new Highlight(...ranges))
  }

  // If an on-screen keyboard covers the page without resizing it, the page becomes shorter, so that
  // the composer stays visible.
  fit() {
    const { height, scale } = window.visualViewport
    const covered = scale === 1 && window.innerHeight - height > KEYBOARD_PX
    if (covered) document.body.style.setProperty("--in-sight", `${height}px`)
    else document.body.style.removeProperty("--in-sight")
    if (covered) window.scrollTo(0, 0)
  }
})

function isPlain(event) {
  return event.button === 0 && !event.metaKey && !event.ctrlKey && !event.shiftKey && !event.altKey
}

function textsOf(element) {
  const texts = []
  const walker = document.createTreeWalker(element, NodeFilter.SHOW_TEXT)
  while (walker.nextNode()) texts.push(walker.currentNode)
  return texts
}

function rangesOf(text, sought) {
  const [ranges, folded] = [[], text.data.toLowerCase()]
  if (folded.length !== text.data.length) return ranges // a letter is longer in lower case
  for (let at = folded.indexOf(sought); at !== -1; at = folded.indexOf(sought, at + sought.length)) {
    const range = new Range()
    range.setStart(text, at)
    range.setEnd(text, at + sought.length)
    ranges.push(range)
  }
  return ranges
}
