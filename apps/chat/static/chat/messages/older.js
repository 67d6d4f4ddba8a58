// Older messages: loads them near the top of the list, and removes them when the list is long.

const NEAR_PX = 600
const MOST_MESSAGES = 300
const KEPT_MESSAGES = 200 // removed in one batch, so that it is rare
const PATIENCE_MS = 20_000
const TRIES = 3 // while the list changes during the request

export class Older {
  #list
  #content
  #view
  #link // null if the list contains the room's first message
  #leaving = new AbortController()
  #busy = false
  #failed = false

  constructor({ list, content, view, link }) {
    Object.assign(this, { onChange: () => {} })
    this.#list = list
    this.#content = content
    this.#view = view
    this.#use(link)
  }

  close() {
    this.#leaving.abort()
  }

  /** Loads older messages near the top. After a failure only a click loads them. */
  look() {
    if (!this.#failed && this.#link && (this.#view.isNear(NEAR_PX) || !this.#view.isFilled)) this.load()
  }

  async load() {
    if (this.#busy || !this.#link) return
    this.#busy = true
    this.#say("Loading…")
    try {
      this.#insert(await this.#fetch())
      this.#failed = false
    } catch {
      this.#failed = true
    }
    this.#busy = false
    if (this.#leaving.signal.aborted) return
    this.#say(this.#failed ? "Older messages could not be loaded. Try again" : "Older messages")
    if (!this.#failed && !this.#view.isFilled) this.look()
  }

  /** Removes the oldest messages while the view is at the end, and updates the link. */
  trim() {
    const items = [...this.#list.children]
    if (items.length <= MOST_MESSAGES || !this.#view.pinned || this.#busy) return []
    const off = items.slice(0, items.length - KEPT_MESSAGES)
    if (off.some((item) => item.contains(document.activeElement))) return []
    for (const item of off) item.remove()
    this.#lead()
    return off
  }

  /** Updates the link when the list begins with another message, as after a long absence. */
  lead() {
    if (!this.#link || this.#busy || !this.#list.firstElementChild) return
    this.#lead()
  }

  // An edit during the request cannot be applied to messages that are not in the list yet. If the
  // list has changed by more than messages at its end, the page is requested again.
  async #fetch() {
    const signal = AbortSignal.any([this.#leaving.signal, AbortSignal.timeout(PATIENCE_MS)])
    for (let tries = 1; ; tries++) {
      const before = numberOf(this.#list)
      const answer = await fetch(this.#link.href, { headers: { Accept: "text/html" }, cache: "no-store", signal })
      if (!answer.ok || answer.redirected) throw new Error(`older messages: ${answer.status}`)
      const page = new DOMParser().parseFromString(await answer.text(), "text/html") // read, never run
      const list = page.querySelector("[data-messages-target=list]")
      if (!list) throw new Error("older messages: no list")
      if (tries === TRIES || this.#onlyAppended(before)) return { list, link: page.querySelector(".room__older a") }
    }
  }

  #onlyAppended(before) {
    const now = numberOf(this.#list)
    if (Number.isNaN(before) || now === before) return true
    return [...this.#list.children].filter((item) => Number(item.dataset.place) > before).length === now - before
  }

  #insert({ list, link }) {
    const items = [...list.children].filter((item) => item.matches("li.message") && !document.getElementById(item.id))
    const own = items.map((item) => document.importNode(item, true))
    this.#view.keep(() => {
      this.#list.prepend(...own)
      if (link) this.#link.setAttribute("href", link.getAttribute("href"))
      else this.#use(null)
      this.onChange(own)
    })
  }

  #lead() {
    const first = this.#list.firstElementChild?.dataset.place
    if (!this.#link) this.#use(this.#make())
    const address = new URL(this.#link.href)
    address.searchParams.set("before", first)
    this.#link.setAttribute("href", address.pathname + address.search)
    this.#say("Older messages")
  }

  #make() {
    const link = document.createElement("a")
    link.href = document.getElementById("composer")?.getAttribute("action") ?? location.pathname
    const line = document.createElement("p")
    line.className = "room__older"
    line.append(link)
    this.#content.prepend(line)
    return link
  }

  #use(link) {
    if (!link) this.#link?.parentElement.remove()
    this.#link = link
    const onclick = (event) => {
      if (event.button || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return
      event.preventDefault()
      this.load()
    }
    link?.addEventListener("click", onclick, { signal: this.#leaving.signal })
  }

  #say(text) {
    if (this.#link && this.#link.textContent !== text) this.#link.textContent = text
  }
}

// The number in the position of a list, `<epoch>.<number>`; `NaN` without live updates.
const numberOf = ({ dataset }) => Number(dataset.seq?.split(".").at(-1))
