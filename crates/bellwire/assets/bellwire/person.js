// A check whether the user for whom this page was rendered is still signed in.

/**
 * Requests the page again: `{ same, url, status }`, whether it is for the same user, the URL after
 * redirects, and the status; `null` without an answer.
 */
export async function look() {
  try {
    const answer = await fetch(location.href, { headers: { Accept: "text/html" }, cache: "no-store" })
    if (answer.status >= 500) return null
    const page = new DOMParser().parseFromString(await answer.text(), "text/html") // never run
    const same = page.documentElement.dataset.user === document.documentElement.dataset.user
    return { same, url: answer.redirected ? answer.url : location.href, status: answer.status }
  } catch {
    return null
  }
}
