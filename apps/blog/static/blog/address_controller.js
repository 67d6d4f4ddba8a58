// Keeps the address in step with what the list shows, so that reload, a link, and the way back lead to the same. The history gets no entry
// for every letter and every five articles.

import { application, Controller } from "../app.js"

application.register("address", class extends Controller {
  static values = { url: String }

  connect() {
    const url = new URL(this.urlValue, location.href)
    // A list that was left meanwhile says nothing about the page that is shown now.
    if (url.pathname === location.pathname && url.href !== location.href) history.replaceState(history.state, "", url)
  }
})
