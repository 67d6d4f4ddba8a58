// Text that every reader of the wire accepts.

/**
 * Replaces each half of a surrogate pair by U+FFFD: `JSON.stringify` writes it as an escape that
 * strict readers refuse together with the whole frame.
 *
 * @param {string} text
 */
export const wellFormed = (text) => text.replace(/\p{Surrogate}/gu, "\uFFFD")

/**
 * A copy of the data as JSON transmits it, with well-formed text.
 *
 * @param {unknown} data
 * @returns {any}
 */
export function wellFormedData(data) {
  return JSON.parse(
    JSON.stringify(data, (_, each) => (typeof each === "string" ? wellFormed(each) : each)),
  )
}
