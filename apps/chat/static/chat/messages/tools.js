// Toolbar of a message: one element, which moves to the message under the pointer, with the focus,
// or whose "…" button was clicked.

import { ask } from "../ask.js"

const ASKED = "tools--asking"

export class Tools {
  #bar
  #list
  #may // (item) → { edit, delete }
  #does // { edit(item), unread(item) → whether it was sent, gone() }
  #item // the message that contains the toolbar
  #action // the button with the focus, to restore it
  #listeners = new AbortController()

  constructor({ template, list, may, does }) {
    this.#bar = template.content.firstElementChild.cloneNode(true)
    this.#list = list
    this.#may = may
    this.#does = does
    const on = (name, handler) => list.addEventListener(name, handler.bind(this), { signal: this.#listeners.signal })
    on("pointerover", this.#pointed)
    on("pointerleave", this.#left)
    on("focusin", this.#focused)
    on("focusout", this.#blurred)
    on("click", this.#clicked)
    on("keydown", this.#pressed)
  }

  close() {
    this.#listeners.abort()
    this.#bar.remove()
  }

  /** Keeps the toolbar in place, and adds a "…" button to each message on devices without hover. */
  dress() {
    this.#place()
    if (!matchMedia("(hover: none)").matches) return
    for (const item of this.#list.children) {
      if (item.querySelector(":scope > .message__more")) continue
      const more = document.createElement("button")
      Object.assign(more, { type: "button", className: "message__more", textContent: "…" })
      more.setAttribute("aria-label", `Actions for the message from ${authorOf(item)}`)
      item.append(more)
    }
  }

  /**
   * Restores the toolbar after an edit replaced its message, or moves the focus after a deletion.
   */
  restore() {
    if (!this.#item || this.#bar.isConnected) return
    const again = document.getElementById(this.#item.id)
    const action = this.#action
    this.#item = null
    if (again) {
      this.#go(again)
      if (action) this.#bar.querySelector(`[data-tool="${action}"]:not([hidden])`)?.focus({ preventScroll: true })
    } else if (action) {
      this.#action = null
      this.#does.gone()
    }
  }

  #pointed({ pointerType, target }) {
    if (pointerType === "touch" || this.#isBusy()) return
    const item = target.closest?.("li.message")
    if (item) this.#go(item)
  }

  #left({ pointerType }) {
    if (pointerType !== "touch" && !this.#isBusy()) this.#hide()
  }

  #focused({ target }) {
    this.#action = this.#bar.contains(target) ? target.dataset.tool : null
    if (this.#action) this.#rove(target)
    if (this.#bar.contains(target) || !target.matches(":focus-visible")) return
    const item = target.closest("li.message")
    if (item && !target.matches(".message__more")) this.#go(item)
  }

  #blurred({ relatedTarget }) {
    // Without a `relatedTarget` the element was removed, or another window has the focus.
    if (!relatedTarget || this.#item?.contains(relatedTarget)) return
    this.#action = null
    if (!this.#list.contains(relatedTarget)) this.#hide()
  }

  #clicked(event) {
    const { target, pointerType } = event
    const more = target.closest(".message__more")
    if (more) return this.#toggle(more.closest("li.message"))
    const tool = target.closest("[data-tool]")?.dataset.tool
    if (tool) return this.#use(tool)
    // A tap on the text opens the toolbar, because only the last message of a group shows its "…".
    const isPlace = pointerType === "touch" && !target.closest("a, button, .tools") && getSelection().isCollapsed
    const item = isPlace ? target.closest(".message__text")?.closest("li.message") : null
    if (item?.querySelector(":scope > .message__more")) this.#toggle(item)
  }

  #pressed(event) {
    if (this.#bar.contains(event.target) && this.#moved(event)) return event.preventDefault()
    if (event.key !== "Escape" || !this.#item || event.isComposing) return
    if (this.#bar.classList.contains(ASKED)) {
      this.#ask(false)
      this.#bar.querySelector('[data-tool="delete"]').focus()
    } else if (this.#bar.contains(event.target)) {
      const link = this.#item.querySelector(".message__link")
      link?.focus()
      this.#hide()
    } else return
    event.preventDefault()
    event.stopPropagation()
  }

  // The toolbar is one tab stop; the arrow keys move between its buttons.
  #moved({ key, altKey, ctrlKey, metaKey }) {
    if (altKey || ctrlKey || metaKey) return false
    const buttons = this.#buttons()
    const forward = this.#bar.matches(":dir(rtl)") ? "ArrowLeft" : "ArrowRight"
    const at = buttons.indexOf(document.activeElement)
    const to = { Home: 0, End: buttons.length - 1 }[key] ?? (/^Arrow(Left|Right)$/.test(key) ? at + (key === forward ? 1 : -1) : NaN)
    if (at === -1 || Number.isNaN(to)) return false
    buttons.at(to % buttons.length).focus()
    return true
  }

  #rove(current = this.#buttons()[0]) {
    for (const button of this.#bar.querySelectorAll("[data-tool]")) button.tabIndex = button === current ? 0 : -1
  }

  /** The visible buttons. */
  #buttons() {
    return [...this.#bar.querySelectorAll("[data-tool]")].filter((button) => button.getClientRects().length)
  }

  #toggle(item) {
    if (this.#item === item) return this.#hide()
    this.#go(item)
    this.#bar.querySelector("[data-tool]:not([hidden])").focus({ preventScroll: true })
  }

  async #use(tool) {
    const item = this.#item
    if (tool === "copy") return this.#say((await copy(item.querySelector(".message__link").href)) ? "Copied" : "Not copied")
    if (tool === "unread") return this.#say(this.#does.unread(item) ? "Marked unread" : "You are not connected.")
    if (tool === "edit") return (this.#hide(), this.#does.edit(item))
    if (tool === "delete" || tool === "keep") {
      this.#ask(tool === "delete")
      return this.#bar.querySelector(`[data-tool="${tool === "delete" ? "keep" : "delete"}"]`).focus()
    }
    this.#say("Deleting…")
    const error = await ask(`/chat/-/messages/${idOf(item)}/delete/`)
    if (error && this.#item === item) (this.#ask(false), this.#say(error))
  }

  #go(item) {
    if (this.#item === item && this.#bar.isConnected) return
    this.#ask(false)
    this.#say("")
    this.#item = item
    const may = this.#may(item)
    for (const button of this.#bar.querySelectorAll("[data-needs]")) button.hidden = !may[button.dataset.needs]
    this.#bar.setAttribute("aria-label", `Message from ${authorOf(item)}, ${item.querySelector(".message__time")?.textContent}`)
    item.append(this.#bar)
    this.#rove()
    this.#place()
  }

  // Beside the text, not beside the lines above it.
  #place() {
    if (!this.#bar.isConnected) return
    const beside = this.#item.querySelector(this.#item.matches(".message--follows") ? ".message__text" : ".message__head")
    this.#bar.style.insetBlockStart = `${beside?.offsetTop ?? 0}px`
  }

  #hide() {
    this.#item = null
    this.#action = null
    this.#bar.remove()
  }

  #ask(asking) {
    this.#bar.classList.toggle(ASKED, asking)
    this.#rove()
  }

  #say(words) {
    this.#bar.querySelector(".tools__words").textContent = words
  }

  // Whether the toolbar is used by keyboard or asks a question: then a passing pointer does not
  // move it.
  #isBusy() {
    const { activeElement } = document
    if (this.#bar.isConnected && this.#bar.classList.contains(ASKED)) return true
    return this.#item?.contains(activeElement) === true && activeElement.matches(":focus-visible")
  }
}

const idOf = (item) => item.id.replace("message--", "")

const authorOf = (item) => item.querySelector(".message__author")?.textContent ?? ""

async function copy(text) {
  try {
    await navigator.clipboard.writeText(text)
    return true
  } catch {
    return copyAsBefore(text) // the clipboard API requires HTTPS
  }
}

function copyAsBefore(text) {
  const before = document.activeElement
  const box = document.createElement("textarea")
  box.value = text
  box.className = "visually-hidden"
  document.body.append(box)
  box.select()
  const done = document.execCommand("copy")
  box.remove()
  before?.focus({ preventScroll: true })
  return done
}
