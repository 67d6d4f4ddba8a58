// Where a page is, as its server understands it.

/**
 * What the last element with `bw-at` says; the page's path where none says anything. Content and address part ways: a page that comes
 * back from history is fetched after its address has changed, and an address may be renamed under a page. The content is what counts.
 */
export const where = () => said([document]) ?? location.pathname

/** What these elements say, with all in them; `undefined` where none says anything. */
export function said(elements) {
  const all = elements.flatMap((each) => [...(each.matches?.("[bw-at]") ? [each] : []), ...each.querySelectorAll("[bw-at]")])
  return all.at(-1)?.getAttribute("bw-at")
}
