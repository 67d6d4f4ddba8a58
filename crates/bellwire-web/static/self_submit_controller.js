// A form that sends itself as soon as it is there: the answer to a form over the socket that has to go on by HTTP.

import { application, Controller } from "./app.js"

application.register(
  "self-submit",
  class extends Controller {
    connect() {
      this.element.requestSubmit()
    }
  },
)
