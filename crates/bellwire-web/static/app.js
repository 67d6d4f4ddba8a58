// Starts Stimulus once per page, independently of apps: a controller imports this module and
// registers itself.
//
//     import { application, Controller } from "../app.js"
//     application.register("greeting", class extends Controller { … })

import { Application, Controller } from "./stimulus.js"

export const application = Application.start()
export { Controller }
