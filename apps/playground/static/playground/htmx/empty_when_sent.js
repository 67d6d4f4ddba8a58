// The one thing that the page adds to htmx: a form whose message is on its way is emptied. htmx 2 and 4 call that moment differently.

for (const name of ["htmx:wsAfterSend", "htmx:ws:after:message:outgoing"]) {
  document.addEventListener(name, ({ target }) => target.closest("form")?.reset())
}
