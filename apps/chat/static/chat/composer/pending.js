// Elements of messages that are being sent, wait for the connection, or were rejected.

const SLOW_MS = 8_000 // then the buttons appear

/** The items below the list. `does` has a callback for each button, which receives the item. */
export class Pending {
  #list
  #does // { retry(item), restore(item), discard(item) }

  constructor(list, does) {
    this.#list = list
    this.#does = does
  }

  /** Shows the current state of an item, in its place or at the end. */
  show(item) {
    const element = item.problem ? this.#refused(item) : this.#onItsWay(item)
    const before = this.#find(item.id)
    if (before) before.replaceWith(element)
    else this.#list.append(element)
  }

  remove(id) {
    this.#find(id)?.remove()
  }

  #find(id) {
    return this.#list.querySelector(`[data-pending="${CSS.escape(id)}"]`)
  }

  #onItsWay(item) {
    const element = this.#element(item, "message--pending")
    const status = make("div", "message__status")
    const waiting = make("span", "message__waiting")
    waiting.append(make("span", "message__why", "Waiting for the connection…"), ...this.#buttons(item, ["retry", "discard"]))
    status.append(make("span", "message__sending", "Sending…"), waiting)
    element.append(status)
    setTimeout(() => element.classList.add("message--slow"), SLOW_MS)
    return element
  }

  #refused(item) {
    const element = this.#element(item, "message--failed")
    const { error, field } = item.problem
    const choices = make("p", "message__choices")
    choices.append(...this.#buttons(item, field ? ["restore", "discard"] : ["retry", "restore", "discard"]))
    element.append(make("p", "message__problem", error || "The message was not sent."), choices)
    return element
  }

  #element({ id, message }, name) {
    const element = make("li", `message ${name}`)
    element.dataset.pending = id
    const text = make("div", "message__text", message)
    text.dir = "auto"
    element.append(text)
    return element
  }

  #buttons(item, names) {
    return names.map((name) => {
      const button = make("button", `button button--small${name === "discard" ? " button--outline" : ""}`, LABELS[name])
      button.type = "button"
      button.addEventListener("click", () => this.#does[name](item))
      return button
    })
  }
}

const LABELS = { retry: "Retry", restore: "Restore", discard: "Discard" }

function make(tag, className, text = "") {
  const element = document.createElement(tag)
  element.className = className
  element.textContent = text
  return element
}
