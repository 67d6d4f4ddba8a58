// The person for whom a page was made, and a check whether that person is still signed in.

/**
 * The person for whom a page was made, as its `<meta name="bellwire-person">` says.
 *
 * @param {Document} page
 * @returns {string | null} `null` if it does not say
 */
export const ownerOf = (page) =>
  page.querySelector('meta[name="bellwire-person"]')?.getAttribute("content") ?? null

/**
 * @typedef {object} Session
 * @property {boolean} same whether the page is for the same person
 * @property {string} url the URL after redirects
 * @property {number} status
 */

/**
 * Requests the page again.
 *
 * @returns {Promise<Session | null>} `null` without an answer
 */
export async function checkSession() {
  try {
    const response = await fetch(location.href, {
      headers: { Accept: "text/html" },
      cache: "no-store",
    })
    if (response.status >= 500) return null
    const page = new DOMParser().parseFromString(await response.text(), "text/html") // never run
    const owner = ownerOf(document)
    // Without an owner, only a redirect tells that somebody has to sign in.
    const same = owner === ownerOf(page) && (owner !== null || !response.redirected)
    return {
      same,
      url: response.redirected ? response.url : location.href,
      status: response.status,
    }
  } catch {
    return null
  }
}
