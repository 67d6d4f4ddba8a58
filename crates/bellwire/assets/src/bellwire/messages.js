// All sentences for the person.

// Reasons of the state.
export const OFFLINE = "You are offline."
export const UNREACHABLE = "The server cannot be reached."
export const STRANGER = "You are signed in as somebody else."

// Reasons why an action was not sent.
export const NOT_CONNECTED = "You are not connected."
export const TOO_LONG = "This is too long to be sent."
export const TOO_MANY = "Too much is waiting to be sent. Please try again when you are connected."
export const ANOTHER_PERSON = "You signed in as somebody else, so this was not sent."

// Reasons why an action is given back.
export const NOT_ACCEPTED = "It was not accepted. Please load the page again."
export const UNCERTAIN =
  "It is not certain whether this was accepted. Look before you send it again."
