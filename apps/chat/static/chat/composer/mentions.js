// Suggestions of names after an `@`, following the ARIA pattern of a combobox with a list box.

const PAUSE_MS = 120
const BEGUN = /(?:^|[\s([{"'])@([^\s@][^\n@]{0,39})$/u
const MOST_WORDS = 4 // the maximum number of words in a name that can be mentioned

export class Mentions {
  #box
  #list
  #at = null // the position of the `@` of the name
  #active = -1
  #timer
  #asking = new AbortController()
  #closedAt = null // Escape closes the list for the name at this position

  constructor(box, list) {
    this.#box = box
    this.#list = list
    list.addEventListener("pointerdown", (event) => event.preventDefault()) // the box keeps the focus
    list.addEventListener("click", ({ target }) => this.#take(target.closest("[role=option]")))
  }

  close() {
    this.#asking.abort()
    clearTimeout(this.#timer)
    this.#at = null
    if (!this.isOpen) return
    this.#list.hidden = true
    this.#list.replaceChildren()
    for (const name of ["role", "aria-expanded", "aria-controls", "aria-autocomplete", "aria-activedescendant"]) {
      this.#box.removeAttribute(name)
    }
  }

  get isOpen() {
    return !this.#list.hidden
  }

  /** Updates the suggestions after input or a move of the caret. */
  look({ isComposing = false } = {}) {
    if (isComposing) return
    const begun = this.#begun()
    if (!begun) this.#closedAt = null
    if (!begun || begun.at === this.#closedAt) return this.close()
    clearTimeout(this.#timer)
    this.#asking.abort()
    this.#timer = setTimeout(() => this.#offer(begun), PAUSE_MS)
  }

  /** Handles a key while the list is open. Returns whether it handled it. */
  pressed(event) {
    if (!this.isOpen || event.isComposing || event.altKey || event.ctrlKey || event.metaKey) return false
    const { key } = event
    if (key === "ArrowDown" || key === "ArrowUp") this.#move(key === "ArrowDown" ? 1 : -1)
    else if ((key === "Enter" || key === "Tab") && !event.shiftKey) this.#take(this.#options[this.#active])
    else if (key === "Escape") (this.#closedAt = this.#at, this.close())
    else return false
    event.preventDefault()
    return true
  }

  async #offer({ at, typed }) {
    this.#asking = new AbortController()
    const { signal } = this.#asking
    try {
      // In a closed room only members can be mentioned.
      const query = new URLSearchParams({ q: typed, room: this.#box.form.elements.room.value })
      const answer = await fetch(`/chat/-/names/?${query}`, { signal })
      const names = answer.ok ? await answer.json() : []
      if (!signal.aborted) this.#show(at, names)
    } catch {
      if (!signal.aborted) this.close() // no suggestions without a connection
    }
  }

  #show(at, names) {
    if (names.length === 0 || document.activeElement !== this.#box) return this.close()
    this.#at = at
    this.#list.replaceChildren(...names.map(option))
    this.#list.hidden = false
    this.#box.setAttribute("role", "combobox")
    this.#box.setAttribute("aria-autocomplete", "list")
    this.#box.setAttribute("aria-expanded", "true")
    this.#box.setAttribute("aria-controls", this.#list.id)
    this.#activate(0)
  }

  #move(by) {
    const { length } = this.#options
    this.#activate((this.#active + by + length) % length)
  }

  #activate(index) {
    this.#active = index
    for (const [each, option] of this.#options.entries()) option.setAttribute("aria-selected", String(each === index))
    this.#box.setAttribute("aria-activedescendant", this.#options[index].id)
    this.#options[index].scrollIntoView({ block: "nearest" })
  }

  #take(option) {
    if (!option || this.#at === null) return
    const end = this.#box.selectionStart
    const gap = /^\s/.test(this.#box.value.slice(end)) ? "" : " "
    this.#box.setRangeText(`@${option.textContent}${gap}`, this.#at, end, "end")
    this.#closedAt = this.#at // the text that follows is not part of the name
    this.close()
    this.#box.dispatchEvent(new InputEvent("input", { bubbles: true, inputType: "insertReplacementText" }))
    this.#box.focus()
  }

  #begun() {
    const { selectionStart, selectionEnd, value } = this.#box
    if (selectionStart !== selectionEnd) return null
    const typed = value.slice(0, selectionStart).match(BEGUN)?.[1]
    if (!typed || typed.split(/\s+/).length > MOST_WORDS) return null
    return { typed, at: selectionStart - typed.length - 1 }
  }

  get #options() {
    return [...this.#list.children]
  }
}

function option(name, index) {
  const element = document.createElement("li")
  element.id = `name--${index}`
  element.className = "names__name"
  element.role = "option"
  element.dir = "auto"
  element.textContent = name
  return element
}
