// The line above the composer: who is typing, and who joined or left.

const NOTICE_MS = 4_000
const MOST_NOTICES = 5 // in the queue; the oldest of more are dropped

/**
 * Who is typing. The server keeps an element per user, as long as the user types; the sentence is
 * made of them.
 */
export class Typing {
  #people
  #words
  #me
  #watch

  constructor(element, me) {
    this.#people = element.querySelector("[data-bw-state]")
    this.#words = element.querySelector(".typing__words")
    this.#me = me
    this.#watch = new MutationObserver(() => this.#say())
    this.#watch.observe(this.#people, { childList: true })
    this.#say()
  }

  close() {
    this.#watch.disconnect()
  }

  #say() {
    const others = [...this.#people.querySelectorAll("[data-person]")].filter(({ dataset }) => dataset.person !== this.#me)
    this.#words.textContent = sentence(others.map((each) => each.textContent))
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
  #timer

  constructor(element, me) {
    this.#element = element
    this.#me = me
  }

  close() {
    clearTimeout(this.#timer)
  }

  /** Shows that a user joined or left, after the notices that wait. */
  show({ person, name, joined }) {
    if (String(person) === this.#me) return
    const known = this.#element.querySelector(`[data-person="${person}"]`)
    if (known) known.replaceWith(notice(person, name, joined))
    else this.#element.append(notice(person, name, joined))
    for (const old of [...this.#element.children].slice(1, -MOST_NOTICES)) old.remove()
    this.#timer ??= setTimeout(() => this.#next(), NOTICE_MS)
  }

  #next() {
    this.#element.firstElementChild?.remove()
    this.#timer = this.#element.firstElementChild ? setTimeout(() => this.#next(), NOTICE_MS) : undefined
  }
}

function notice(person, name, joined) {
  const [line, who] = [document.createElement("p"), document.createElement("b")]
  line.className = "notice"
  line.dataset.person = person
  who.dir = "auto"
  who.textContent = name
  line.append(who, joined ? " joined" : " left")
  return line
}
