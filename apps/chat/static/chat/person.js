// The person for whom the page was made: the key of what this browser stores.

/** The key of the person; empty if the page does not say. */
export const person = () => document.querySelector('meta[name="bellwire-person"]')?.content ?? ""
