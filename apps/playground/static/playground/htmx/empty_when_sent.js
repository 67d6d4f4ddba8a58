// The page's only addition to htmx: clears the form after its message was sent. htmx 2 and htmx 4
// use different event names.

for (const name of ["htmx:wsAfterSend", "htmx:ws:after:message:outgoing"]) {
  document.addEventListener(name, ({ target }) => target.closest("form")?.reset())
}
