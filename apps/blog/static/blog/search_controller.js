// Searches while the visitor types. Without a connection the form is submitted over HTTP.

import { application, Controller } from "../app.js"
import { onState, send } from "../bellwire.js"

const PAUSE = 150 // between the last letter and the search

application.register("search", class extends Controller {
  static targets = ["field"]
  #missed = false // whether the last query could not be sent
  #stop

  connect() {
    this.#stop = onState((state) => state === "connected" && this.#missed && this.search())
  }

  disconnect() {
    clearTimeout(this.timer)
    this.#stop()
  }

  typed() {
    clearTimeout(this.timer)
    this.timer = setTimeout(() => this.search(), PAUSE)
  }

  submit(event) {
    clearTimeout(this.timer)
    if (this.search()) event.preventDefault()
  }

  // Returns whether it was sent.
  search() {
    this.#missed = send("Search", { search: this.fieldTarget.value }) === null
    return !this.#missed
  }
})
