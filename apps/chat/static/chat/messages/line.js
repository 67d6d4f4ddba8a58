// The line above the composer: who is typing, and who joined or left. Both disappear after a
// timeout.

const TYPING_MS = 6_000 // after the last update
const NOTICE_MS = 4_000
const MOST_NOTICES = 5 // in the queue; the oldest of more are dropped

/**
 * Who is typing. The server adds an element per user to `element`; the sentence is made of them.
 */
export class Typing {
  #element
  #me
  #timers = new Map() // person → timer
  #watch

  constructor(element, me) {
    this.#element = element
    this.#me = me
    this.#watch = new MutationObserver((records) => this.#changed(records))
    this.#watch.observe(element, { childList: true })
    this.#changed([{ addedNodes: element.childNodes }])
  }

  close() {
    this.#watch.disconnect()
    for (const timer of this.#timers.values()) clearTimeout(timer)
  }

  /** Removes a user whose message has arrived. */
  spoke(person) {
    for (const mark of this.#marks()) if (mark.dataset.person === person) mark.remove()
  }

  #changed(records) {
    for (const { addedNodes } of records) for (const node of addedNodes) if (node.dataset?.person) this.#heard(node)
    this.#say()
  }

  #heard(mark) {
    const { person } = mark.dataset
    if (person === this.#me) return mark.remove()
    clearTimeout(this.#timers.get(person))
    this.#timers.set(person, setTimeout(() => this.#forget(person), TYPING_MS))
  }

  #forget(person) {
    this.#timers.delete(person)
    this.spoke(person)
  }

  #say() {
    let words = this.#element.querySelector(".typing__words")
    if (!words) {
      words = document.createElement("span")
      words.className = "typing__words"
      this.#element.append(words)
    }
    const text = sentence(this.#marks().map((mark) => mark.textContent))
    if (words.textContent !== text) words.textContent = text
  }

  #marks() {
    return [...this.#element.querySelectorAll("[data-person]")]
  }
}

function sentence(names) {
  if (names.length === 0) return ""
  if (names.length === 1) return `${names[0]} is typing`
  if (names.length === 2) return `${names[0]} and ${names[1]} are typing`
  return "Several people are typing"
}

/** Who joined or left, one at a time: the style sheet shows only the first. */
export class Notices {
  #element
  #me
  #watch
  #shown
  #timer

  constructor(element, me) {
    this.#element = element
    this.#me = me
    this.#watch = new MutationObserver(() => this.#next())
    this.#watch.observe(element, { childList: true })
    this.#next()
  }

  close() {
    this.#watch.disconnect()
    clearTimeout(this.#timer)
  }

  #next() {
    for (const notice of [...this.#element.children]) if (notice.dataset.person === this.#me) notice.remove()
    for (const notice of [...this.#element.children].slice(1, -MOST_NOTICES)) notice.remove()
    const first = this.#element.firstElementChild
    if (first === this.#shown) return
    clearTimeout(this.#timer)
    this.#shown = first
    if (first) this.#timer = setTimeout(() => first.remove(), NOTICE_MS)
  }
}
