// Controller of the composer: keys, the height of the box, drafts, and pending messages. The parts
// are in ./composer/. A typed text is never lost: it leaves the box only when it is shown as
// pending, and returns if the server rejects it. The form sends: bellwire.js over the socket, or
// the browser by HTTP.

import { application, Controller } from "../app.js"
import { reconnect, send } from "../bellwire.js"
import { ask } from "./ask.js"
import { draftOf, keepDraft } from "./composer/drafts.js"
import { Editing, sourceOf } from "./composer/editing.js"
import { Mentions } from "./composer/mentions.js"
import { Pending } from "./composer/pending.js"
import { about, discard, forget, refuse, waitingIn, wasSentHere } from "./composer/waiting.js"

const IME_KEY_CODE = 229 // how some browsers report the Enter that ends a composition
const TYPING_EVERY_MS = 3_000
const KEEP_AFTER_MS = 300

application.register("composer", class extends Controller {
  static targets = ["form", "box", "error", "pending", "names", "editing", "word"]
  static values = { limit: Number }

  connect() {
    this.room = this.element.dataset.room
    this.typedAt = -Infinity
    this.mentions = new Mentions(this.boxTarget, this.namesTarget)
    this.editing = new Editing(this.boxTarget, this.editingTarget)
    this.pending = new Pending(this.pendingTarget, {
      retry: (item) => this.retry(item),
      restore: (item) => this.restore(item),
      discard: (item) => this.discard(item),
    })
    this.formTarget.noValidate = true // no native validation message for an empty text
    this.listenToAll()
    for (const item of waitingIn(this.room)) this.pending.show(item)
    this.takeUpDraft()
    this.grow()
    if (!onTouch() && nothingFocused()) this.boxTarget.focus({ preventScroll: true })
  }

  disconnect() {
    this.keep()
    this.listeners.abort()
    this.mentions.close()
  }

  listenToAll() {
    this.listeners = new AbortController()
    this.listen(this.formTarget, "submit", this.check, { capture: true })
    this.listen(this.boxTarget, "keydown", this.pressed)
    this.listen(this.boxTarget, "input", this.typed)
    this.listen(this.boxTarget, "compositionend", () => this.mentions.look())
    this.listen(this.boxTarget, "blur", () => this.mentions.close())
    this.listen(document, "bellwire:queued", this.queued)
    this.listen(document, "bellwire:answered", ({ detail }) => this.pending.remove(detail.clientId))
    this.listen(document, "bellwire:refused", this.refused)
    this.listen(window, "pagehide", this.keep)
    this.listen(document, "visibilitychange", this.keep)
  }

  listen(target, name, handler, options) {
    target.addEventListener(name, handler.bind(this), { ...options, signal: this.listeners.signal })
  }

  // Runs before the send: ignores an empty text, explains one that is too long, and saves an edit
  // over HTTP.
  check(event) {
    const problem = this.problem()
    const isBlank = this.boxTarget.value.trim() === ""
    if (!isBlank && !problem && !this.editing.isOn) return this.mentions.close()
    event.preventDefault()
    event.stopImmediatePropagation()
    if (!isBlank && !problem) return this.save()
    this.explain(problem || (this.editing.isOn ? "Write something, or press Escape and delete the message." : ""))
    this.boxTarget.focus()
  }

  problem() {
    const length = [...this.boxTarget.value].length
    if (length <= this.limitValue) return ""
    const [count, max] = [length, this.limitValue].map((number) => number.toLocaleString("en"))
    return `A message holds at most ${max} characters; this one has ${count}.`
  }

  pressed(event) {
    if (event.isComposing || event.keyCode === IME_KEY_CODE || this.mentions.pressed(event)) return
    if (event.key === "Escape" && this.editing.isOn) this.cancel(event)
    else if (event.key === "ArrowUp") this.editLast(event)
    else if (event.key === "Enter") this.enter(event)
  }

  enter(event) {
    if (event.shiftKey || event.altKey || onTouch()) return
    event.preventDefault()
    if (!event.repeat) this.formTarget.requestSubmit()
  }

  typed(event) {
    this.grow()
    this.mentions.look(event)
    this.tellOfTyping()
    clearTimeout(this.keeping)
    this.keeping = setTimeout(() => this.keep(), KEEP_AFTER_MS)
    if (this.errorTarget.textContent.trim() !== "") this.explain(this.problem())
  }

  tellOfTyping() {
    if (this.editing.isOn || this.boxTarget.value.trim() === "") return
    if (performance.now() - this.typedAt < TYPING_EVERY_MS) return
    if (send("Typing", {}) !== null) this.typedAt = performance.now()
  }

  // Drafts

  keep() {
    clearTimeout(this.keeping)
    keepDraft(this.room, this.editing.draft)
  }

  // Restores the draft, unless it equals the user's last message: then it was sent and the response
  // did not reach this page.
  takeUpDraft() {
    const draft = draftOf(this.room)
    if (!draft || this.boxTarget.value !== "") return
    if (this.lastOfMine() && sourceOf(this.lastOfMine()) === draft.trimEnd()) return keepDraft(this.room, "")
    this.boxTarget.value = draft
    this.boxTarget.setSelectionRange(draft.length, draft.length)
  }

  // Pending messages

  queued(event) {
    const sent = about(event)
    if (sent?.room !== this.room) return
    if (!this.editing.isOn && this.boxTarget.value === sent.message) this.write("")
    this.typedAt = -Infinity
    this.explain("")
    this.pending.show({ ...sent, problem: null })
    this.dispatch("shown")
  }

  // Removes a pending message when it appears in the list, which may be before the response.
  arrived({ detail: { items } }) {
    for (const item of items.filter((each) => each.matches(".message--mine[data-client-id]"))) {
      this.pending.remove(item.dataset.clientId)
      if (wasSentHere(item.dataset.clientId)) this.dispatch("spoke", { detail: { item } })
    }
  }

  refused(event) {
    const sent = about(event)
    if (!sent) return
    if (sent.room !== this.room) return this.explain(`Your message in another room was not sent. You can find it there. ${sent.error}`)
    const isFree = !this.editing.isOn && this.boxTarget.value.trim() === ""
    if (this.boxTarget.value === sent.message || (isFree && sent.field)) {
      forget(sent.id)
      this.pending.remove(sent.id)
      this.write(sent.message)
      this.explain(sent.error)
    } else {
      // The box contains a newer draft, or the text is valid: the message stays in the pending
      // list.
      this.pending.show({ ...sent, problem: sent })
    }
  }

  async retry(item) {
    if (!item.problem) return reconnect() // bellwire.js sends it as soon as it is connected
    this.pending.show({ ...item, problem: null })
    const fields = { message: item.message, client_id: item.id, room: item.room }
    const error = await ask(this.formTarget.getAttribute("action"), fields)
    if (error) refuse(item.id, item, error, null)
    else forget(item.id)
    if (!this.element.isConnected) return
    if (error) this.pending.show({ ...item, problem: { error, field: null } })
    else this.pending.remove(item.id)
  }

  restore(item) {
    this.cancel()
    const draft = this.boxTarget.value
    this.write(draft.trim() === "" ? item.message : `${item.message}\n\n${draft}`)
    this.discard(item)
  }

  discard(item) {
    discard(item.id)
    this.pending.remove(item.id)
    this.explain(this.problem())
    this.boxTarget.focus()
  }

  // Editing

  edit({ detail: { item } }) {
    this.keep()
    this.editing.begin(item)
    this.boxChanged("Save")
  }

  editLast(event) {
    if (this.boxTarget.value !== "" || this.editing.isOn || event.shiftKey || event.altKey || event.ctrlKey || event.metaKey) return
    const item = this.lastOfMine()
    if (!item) return
    event.preventDefault()
    this.edit({ detail: { item } })
    item.scrollIntoView({ block: "nearest" })
  }

  async save() {
    const error = await this.editing.save()
    if (error === undefined) return
    if (error === null) this.cancel()
    else this.explain(error === "You are not connected." ? `${error} Your change is kept here; try again.` : error)
    this.boxTarget.focus()
  }

  cancel(event) {
    event?.preventDefault()
    if (!this.editing.isOn) return
    this.editing.end()
    this.boxChanged("Send")
    this.boxTarget.focus()
  }

  /** Ends editing if the edited message was deleted. */
  removed({ detail: { ids } }) {
    if (!ids.some((id) => this.editing.isOf(id))) return
    this.cancel()
    this.explain("The message you were editing was deleted.")
  }

  boxChanged(word) {
    this.wordTarget.textContent = word
    this.formTarget.classList.toggle("composer--editing", this.editing.isOn)
    this.mentions.close()
    this.explain("")
    this.grow()
  }

  lastOfMine() {
    const me = document.documentElement.dataset.user
    return [...this.element.querySelectorAll("[id^=message--]")].findLast((item) => item.dataset.author === me)
  }

  // The box

  focusBox() {
    this.boxTarget.focus({ preventScroll: true })
  }

  write(text) {
    this.boxTarget.value = text
    this.keep()
    this.grow()
  }

  explain(problem) {
    if (this.errorTarget.textContent !== problem) this.errorTarget.textContent = problem
    if (problem) this.boxTarget.setAttribute("aria-invalid", "true")
    else this.boxTarget.removeAttribute("aria-invalid")
  }

  // Sizes the box by its content in browsers without `field-sizing`. The style sheet has the
  // maximum.
  grow() {
    if (CSS.supports("field-sizing", "content")) return
    this.boxTarget.style.height = "auto"
    this.boxTarget.style.height = `${this.boxTarget.scrollHeight + 2}px`
  }
})

function onTouch() {
  return matchMedia("(pointer: coarse)").matches
}

function nothingFocused() {
  return document.activeElement === null || document.activeElement === document.body
}
