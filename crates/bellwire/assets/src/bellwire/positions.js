// Positions in feeds. A position is opaque text, `<epoch>.<number>`, which goes back to the server
// as it came; only the number is compared.

/**
 * The number of a position: what follows the last dot.
 *
 * @param {string} seq
 */
export const numberOf = (seq) => Number(seq.slice(seq.lastIndexOf(".") + 1))

/**
 * The position in each feed; of two lists of one feed the older one counts.
 *
 * @param {Iterable<DOMStringMap>} lists the `data-feed` and `data-seq` of all lists
 * @returns {Map<string, string>}
 */
export function oldestPositions(lists) {
  const found = new Map()
  for (const { feed = "", seq = "" } of lists) {
    const known = found.get(feed)
    if (known === undefined || numberOf(seq) < numberOf(known)) found.set(feed, seq)
  }
  return found
}

/**
 * The query parameters with which the server resumes the feeds.
 *
 * @param {Map<string, string>} positions
 */
export const sinceQuery = (positions) =>
  Array.from(
    positions,
    ([feed, seq]) => `&since=${encodeURIComponent(feed)}:${encodeURIComponent(seq)}`,
  ).join("")
