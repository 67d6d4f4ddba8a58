// The location of a page, as its server understands it.

/**
 * The value of the last element with `bw-at`, or the page's path if there is none. Content and URL
 * can differ: a page restored from history is fetched after its URL has changed, and a URL may be
 * renamed while a page shows it. The content counts.
 */
export const pageLocation = () => lastLocation([document]) ?? location.pathname

/**
 * The last `bw-at` of these elements and their descendants; `undefined` if there is none.
 *
 * @param {(Element | Document)[]} roots
 */
export function lastLocation(roots) {
  const all = roots.flatMap((root) => [
    ...(root instanceof Element && root.matches("[bw-at]") ? [root] : []),
    ...root.querySelectorAll("[bw-at]"),
  ])
  return all.at(-1)?.getAttribute("bw-at") ?? undefined
}
