// Serves the page and its bundle; all the rest happens in the browser.
import { build } from 'esbuild'
import { createServer } from 'node:http'

const { ENDPOINT, CLIENT_ID, PORT } = process.env
const bundle = await build({
  entryPoints: ['main.js'],
  bundle: true,
  format: 'esm',
  write: false,
  define: { ENDPOINT: JSON.stringify(ENDPOINT), CLIENT_ID: JSON.stringify(CLIENT_ID) },
})

const page = '<!doctype html><title>App</title><body><script type="module" src="/main.js"></script>'
createServer((req, res) => {
  const script = req.url === '/main.js'
  res.setHeader('Content-Type', script ? 'text/javascript' : 'text/html')
  res.end(script ? bundle.outputFiles[0].text : page)
}).listen(PORT, '127.0.0.1')
