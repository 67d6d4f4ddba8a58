// The storage of this tab, or the memory of this page if the browser denies storage or has no space.

/** JSON values by key. */
export class TabStorage {
  #area
  /** @type {Map<string, string>} values that could not be stored; they take precedence */
  #memory = new Map()

  /** @param {() => Storage} area throws if the browser denies storage */
  constructor(area) {
    this.#area = area
  }

  /**
   * Reads from the storage each time, because a page may return from the back/forward cache.
   *
   * @param {string} key
   * @returns {any} the value; `null` if there is none, or none that can be read
   */
  get(key) {
    try {
      return JSON.parse(this.#memory.get(key) ?? this.#area().getItem(key) ?? "null")
    } catch {
      return null
    }
  }

  /**
   * @param {string} key
   * @param {unknown} value `null` removes it
   */
  set(key, value) {
    this.#memory.delete(key)
    const text = JSON.stringify(value)
    try {
      if (value === null) this.#area().removeItem(key)
      else this.#area().setItem(key, text)
    } catch {
      if (value !== null) this.#memory.set(key, text)
    }
  }

  /** All keys, including those of values that cannot be read. */
  keys() {
    const keys = [...this.#memory.keys()]
    try {
      return [...keys, ...Object.keys(this.#area())]
    } catch {
      return keys
    }
  }
}

export const tabStorage = new TabStorage(() => sessionStorage)
