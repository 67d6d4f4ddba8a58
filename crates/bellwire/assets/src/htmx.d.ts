declare const htmx: any
export default htmx
