// A message of mine in the composer, to be changed. What was being written waits until that is done.

import { ask } from "../ask.js"

export class Editing {
  #box
  #line
  #of = null // the id of the message
  #source
  #before // the draft, and where its caret was
  #attempt = 0

  constructor(box, line) {
    this.#box = box
    this.#line = line
  }

  get isOn() {
    return this.#of !== null
  }

  /** What is being written beside it: the box holds something else meanwhile. */
  get draft() {
    return this.isOn ? this.#before.value : this.#box.value
  }

  isOf(elementId) {
    return this.isOn && elementId === `message--${this.#of}`
  }

  begin(item) {
    const { value, selectionStart, selectionEnd } = this.#box
    if (!this.isOn) this.#before = { value, selectionStart, selectionEnd }
    this.#of = item.id.replace("message--", "")
    this.#source = sourceOf(item)
    this.#attempt++
    this.#box.value = this.#source
    this.#box.readOnly = false
    this.#line.hidden = false
    this.#box.focus()
    this.#box.setSelectionRange(this.#source.length, this.#source.length)
  }

  /** Gives the draft back, and the focus. */
  end() {
    if (!this.isOn) return
    this.#of = null
    this.#attempt++
    this.#line.hidden = true
    this.#box.readOnly = false
    this.#box.value = this.#before.value
    this.#box.setSelectionRange(this.#before.selectionStart, this.#before.selectionEnd)
  }

  /** Saves what is in the box. Returns what went wrong, or `null`; nothing at all when it was given up meanwhile. */
  async save() {
    if (this.#box.readOnly) return undefined
    if (this.#box.value === this.#source) return null
    const attempt = ++this.#attempt
    this.#box.readOnly = true // what is typed now would be lost
    const error = await ask(`/chat/-/messages/${this.#of}/`, { message: this.#box.value })
    if (attempt !== this.#attempt) return undefined
    this.#box.readOnly = false
    return error
  }
}

/** A message as it was typed. One that is nothing but its text says it only once. */
export function sourceOf(item) {
  const text = item.querySelector(".message__text")
  return text.dataset.source ?? text.textContent.trim()
}
