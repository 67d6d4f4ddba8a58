// The list of articles: its address, and a search that was typed without a connection.

import { onState, send } from "../bellwire.js"

// Keeps the address in step with the list, so that a reload, a link and the back button show the
// same. It replaces the history entry instead of adding one per letter or per five articles.
document.addEventListener("blog:address", ({ detail }) => {
  const url = new URL(detail.url, location.href)
  // Ignores a late update of a list that is no longer shown.
  if (url.pathname === location.pathname) history.replaceState(history.state, "", url)
})

onState((state) => {
  const field = document.querySelector(".blog__search input")
  if (state !== "connected" || !field) return
  const shown = new URLSearchParams(location.search).get("search") ?? ""
  if (field.value.trim() !== shown) send("Search", { search: field.value })
})
