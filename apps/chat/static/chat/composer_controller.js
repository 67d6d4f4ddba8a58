// The box a message is written in: which key sends, how the box grows, and what is on its way.
// What was typed is never lost: a text leaves the box only when it is shown as pending, and comes back when refused.
// Sending itself is the form's affair: bellwire.js over the socket, or the browser by HTTP.

import { application, Controller } from "../app.js"

const IME_KEY_CODE = 229 // some browsers report the Enter that ends a composition only so

application.register("composer", class extends Controller {
  static targets = ["form", "box", "error", "pending"]
  static values = { limit: Number }

  connect() {
    this.listeners = new AbortController()
    this.formTarget.noValidate = true // a blank sends nothing, without a native bubble
    this.listen("submit", this.check, { capture: true })
    this.listen("keydown", this.pressed)
    this.listen("input", this.typed)
    this.listen("bellwire:queued", this.queued)
    this.listen("bellwire:answered", (event) => this.remove(event.detail.clientId))
    this.listen("bellwire:refused", this.refused)
    this.grow()
    if (!onTouch() && nothingFocused()) this.boxTarget.focus({ preventScroll: true })
  }

  disconnect() {
    this.listeners.abort()
  }

  listen(name, handler, options) {
    this.formTarget.addEventListener(name, handler.bind(this), { ...options, signal: this.listeners.signal })
  }

  // Before anyone sends: blanks send nothing, too long a text is explained and stays.
  check(event) {
    const problem = this.problem()
    if (this.boxTarget.value.trim() !== "" && !problem) return
    event.preventDefault()
    event.stopImmediatePropagation()
    this.explain(problem)
    this.boxTarget.focus()
  }

  problem() {
    const length = [...this.boxTarget.value].length
    if (length <= this.limitValue) return ""
    const [has, fits] = [length, this.limitValue].map((number) => number.toLocaleString("en"))
    return `A message holds at most ${fits} characters; this one has ${has}.`
  }

  pressed(event) {
    if (event.key !== "Enter" || event.target !== this.boxTarget) return
    if (event.isComposing || event.keyCode === IME_KEY_CODE) return
    if (event.shiftKey || event.altKey || onTouch()) return
    event.preventDefault()
    if (!event.repeat) this.formTarget.requestSubmit()
  }

  typed() {
    this.grow()
    if (this.errorTarget.textContent.trim() !== "") this.explain(this.problem())
  }

  queued({ detail: { clientId, data } }) {
    if (this.boxTarget.value === data.message) this.write("")
    this.explain("")
    if (!this.find(clientId)) this.pendingTarget.append(this.pendingItem(clientId, data.message))
    this.dispatch("shown")
  }

  // Mine is in the list: shown once, even before the answer is told.
  arrived({ detail: { items } }) {
    for (const item of items) if (item.matches(".message--mine[data-client-id]")) this.remove(item.dataset.clientId)
  }

  refused({ detail: { clientId, data, error = "" } }) {
    const message = data?.message ?? this.find(clientId)?.querySelector(".message__text").textContent ?? ""
    if (this.boxTarget.value.trim() === "" || this.boxTarget.value === message) {
      this.remove(clientId)
      this.write(message)
    } else {
      this.fail(clientId, message, error)
    }
    this.explain(error)
  }

  // A newer draft is in the box: the refused text waits above it for a decision.
  fail(clientId, message, error) {
    const item = this.find(clientId) ?? this.pendingTarget.appendChild(this.pendingItem(clientId, message))
    item.classList.replace("message--pending", "message--failed")
    const [reason] = elements(["p", "message__problem", error || "It was not sent."])
    const [restore, discard] = elements(["button", "button button--small", "Restore"], ["button", "button button--small button--outline", "Discard"])
    restore.type = discard.type = "button"
    restore.addEventListener("click", () => this.restore(item, message))
    discard.addEventListener("click", () => this.leave(item))
    item.querySelector(".message__status").replaceWith(reason, restore, " ", discard)
  }

  restore(item, message) {
    const draft = this.boxTarget.value
    this.write(draft.trim() === "" ? message : `${message}\n\n${draft}`)
    this.leave(item)
  }

  leave(item) {
    item.remove()
    this.explain(this.problem())
    this.boxTarget.focus()
  }

  pendingItem(clientId, message) {
    const [item, text, status] = elements(["li", "message message--pending"], ["div", "message__text", message], ["p", "message__status"])
    item.dataset.pending = clientId
    text.dir = "auto"
    status.append(...elements(["span", "message__sending", "Sending…"], ["span", "message__waiting", "Waiting for the connection…"]))
    item.append(text, status)
    return item
  }

  find(clientId) {
    return this.pendingTarget.querySelector(`[data-pending="${CSS.escape(clientId)}"]`)
  }

  remove(clientId) {
    this.find(clientId)?.remove()
  }

  write(text) {
    this.boxTarget.value = text
    this.grow()
  }

  explain(problem) {
    if (this.errorTarget.textContent !== problem) this.errorTarget.textContent = problem
    if (problem) this.boxTarget.setAttribute("aria-invalid", "true")
    else this.boxTarget.removeAttribute("aria-invalid")
  }

  // Where the style sheet cannot size the box by its content (`field-sizing`), this does; its greatest height is the style's.
  grow() {
    if (CSS.supports("field-sizing", "content")) return
    this.boxTarget.style.height = "auto"
    this.boxTarget.style.height = `${this.boxTarget.scrollHeight + 2}px`
  }
})

function elements(...specs) {
  return specs.map(([tag, className, text = ""]) => {
    const element = document.createElement(tag)
    element.className = className
    element.textContent = text
    return element
  })
}

function onTouch() {
  return matchMedia("(pointer: coarse)").matches
}

function nothingFocused() {
  return document.activeElement === null || document.activeElement === document.body
}
