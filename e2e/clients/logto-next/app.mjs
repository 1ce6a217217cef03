import { createServer } from 'node:http'
import next from 'next'

const app = next({ dev: false, hostname: '127.0.0.1', port: process.env.PORT })
await app.prepare()
createServer(app.getRequestHandler()).listen(process.env.PORT, '127.0.0.1')
