// Bundles the browser client: `node bundle.mjs <folder of the package> <file to write>`. Used by
// bin/bundle, which provides esbuild in the folder's node_modules.

import { readFileSync, writeFileSync } from "node:fs"
import { createRequire } from "node:module"
import { join } from "node:path"

const [folder, output] = process.argv.slice(2)
const { build } = createRequire(join(folder, "package.json"))("esbuild")
const { version } = JSON.parse(readFileSync(join(folder, "package.json"), "utf8"))
const htmx = htmxAsScript(readFileSync(join(folder, "src/htmx.js"), "utf8"))

const banner = `/*! bellwire.js ${version}, MIT OR Apache-2.0; with htmx ${htmx.version}, Zero-Clause BSD */`

const { outputFiles } = await build({
  absWorkingDir: folder,
  entryPoints: ["src/bellwire.js"],
  bundle: true,
  minify: true,
  format: "esm",
  target: "es2022",
  charset: "utf8",
  legalComments: "none",
  banner: { js: `${banner}\n${htmx.text}` },
  plugins: [{ name: "htmx", setup: useGlobalHtmx }],
  write: false,
  logLevel: "warning",
})
writeFileSync(output, outputFiles[0].contents)

// htmx is minified already, and is shorter as it is: it precedes our modules unchanged, as the
// variable `htmx`, without its export.
function htmxAsScript(module) {
  const text = module.trim().replace(/export default htmx;?$/, "")
  const version = /\bversion="([\d.]+)"/.exec(text)?.[1]
  if (!text.startsWith("var htmx=") || text === module.trim() || !version) {
    throw new Error("src/htmx.js is not the ES module of htmx that this script expects")
  }
  return { text, version }
}

function useGlobalHtmx(esbuild) {
  esbuild.onResolve({ filter: /\/htmx\.js$/ }, () => ({ path: "htmx", namespace: "global" }))
  esbuild.onLoad({ filter: /.*/, namespace: "global" }, () => ({ contents: "export default htmx" }))
}
