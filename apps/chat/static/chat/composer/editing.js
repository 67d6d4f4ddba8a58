// Editing one of the user's messages in the composer. The draft returns when the edit ends.

import { ask } from "../ask.js"

export class Editing {
  #box
  #line
  #of = null // the id of the message
  #source
  #before // the draft and its selection
  #attempt = 0

  constructor(box, line) {
    this.#box = box
    this.#line = line
  }

  get isOn() {
    return this.#of !== null
  }

  /** The draft, which is not in the box during an edit. */
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

  /** Ends the edit and restores the draft. */
  end() {
    if (!this.isOn) return
    this.#of = null
    this.#attempt++
    this.#line.hidden = true
    this.#box.readOnly = false
    this.#box.value = this.#before.value
    this.#box.setSelectionRange(this.#before.selectionStart, this.#before.selectionEnd)
  }

  /**
   * Saves the edit. Returns an error text, `null` on success, or `undefined` if it was canceled.
   */
  async save() {
    if (this.#box.readOnly) return undefined
    if (this.#box.value === this.#source) return null
    const attempt = ++this.#attempt
    this.#box.readOnly = true // text typed while saving would be lost
    const error = await ask(`/chat/-/messages/${this.#of}/`, { message: this.#box.value })
    if (attempt !== this.#attempt) return undefined
    this.#box.readOnly = false
    return error
  }
}

/** Returns the text of a message as typed. The server sends `data-source` only if it differs. */
export function sourceOf(item) {
  const text = item.querySelector(".message__text")
  return text.dataset.source ?? text.textContent.trim()
}
