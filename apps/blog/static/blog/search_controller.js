// Searches while somebody types. Without a connection the form is a form like any other.

import { application, Controller } from "../app.js"
import { send } from "../bellwire.js"

const PAUSE = 150 // between the last letter and the search

application.register("search", class extends Controller {
  static targets = ["field"]

  disconnect() {
    clearTimeout(this.timer)
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
    return send("Search", { search: this.fieldTarget.value }) !== null
  }
})
