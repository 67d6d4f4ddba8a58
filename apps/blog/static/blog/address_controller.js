// Keeps the address in step with the list, so that a reload, a link and the back button show the
// same. It replaces the history entry instead of adding one per letter or per five articles.

import { application, Controller } from "../app.js"

application.register("address", class extends Controller {
  static values = { url: String }

  connect() {
    const url = new URL(this.urlValue, location.href)
    // Ignores a late update of a list that is no longer shown.
    if (url.pathname === location.pathname && url.href !== location.href) history.replaceState(history.state, "", url)
  }
})
