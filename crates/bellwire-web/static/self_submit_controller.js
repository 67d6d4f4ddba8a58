// A form that submits itself when it appears: the answer over the socket to a form that must
// continue by HTTP.

import { application, Controller } from "./app.js"

application.register(
  "self-submit",
  class extends Controller {
    connect() {
      this.element.requestSubmit()
    }
  },
)
