import { fileURLToPath } from 'node:url'

import vue from '@vitejs/plugin-vue'
import type { Connect, Plugin } from 'vite'
import { defineConfig } from 'vitest/config'

/** Scripts come from the site alone; what is asked, and of whom, is known only when `config.json` has been read. */
const POLICY = [
  "default-src 'self'",
  "connect-src 'self' http: https: ws: wss:",
  "img-src 'self' http: https: data: blob:",
  "object-src 'none'",
  "base-uri 'none'",
  "form-action 'self' https:",
].join('; ')

export default defineConfig({
  plugins: [vue(), localConfig(), contentPolicy()],
  resolve: { alias: { '@': fileURLToPath(new URL('src', import.meta.url)) } },
  // Named, not "localhost": cookies and the server's list of origins are about this very host.
  server: { host: '127.0.0.1', port: 5173, strictPort: true },
  build: {
    // For the test that weighs what a first visit loads.
    manifest: true,
    target: 'es2022',
    // A file within a file would be refused by the policy, or cached with it.
    assetsInlineLimit: 0,
  },
  test: { include: ['src/**/*.test.ts'] },
})

/** While developing, `config.json` names the application that `python -m local` starts. A release writes its own. */
function localConfig(): Plugin {
  const application = new URL(process.env.STOCKWEB_API ?? 'http://127.0.0.1:8000')
  const socket = application.origin.replace(/^http/, 'ws')
  const answer: Connect.NextHandleFunction = (_request, response) => {
    response.setHeader('Content-Type', 'application/json')
    response.end(JSON.stringify({ api: application.origin, socket }))
  }
  return {
    name: 'stockweb:local-config',
    configureServer: (server) => void server.middlewares.use('/config.json', answer),
    configurePreviewServer: (server) => void server.middlewares.use('/config.json', answer),
  }
}

/** Only what is built carries the policy: the development server adds styles and scripts of its own. */
function contentPolicy(): Plugin {
  return {
    name: 'stockweb:content-policy',
    apply: 'build',
    transformIndexHtml: () => [
      { tag: 'meta', attrs: { 'http-equiv': 'Content-Security-Policy', content: POLICY }, injectTo: 'head-prepend' },
    ],
  }
}
