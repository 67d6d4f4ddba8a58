// The location of a page, as its server understands it.

/**
 * The value of the last element with `bw-at`, or the page's path if there is none. Content and URL
 * can differ: a page restored from history is fetched after its URL has changed, and a URL may be
 * renamed while a page shows it. The content counts.
 */
export const where = () => said([document]) ?? location.pathname

/** The last `bw-at` of these elements and their descendants; `undefined` if there is none. */
export function said(elements) {
  const all = elements.flatMap((each) => [...(each.matches?.("[bw-at]") ? [each] : []), ...each.querySelectorAll("[bw-at]")])
  return all.at(-1)?.getAttribute("bw-at")
}
