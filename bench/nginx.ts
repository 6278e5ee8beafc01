import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { createServer, connect, type AddressInfo } from 'node:net'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Usage } from './child.ts'
import { endOf, owned } from './processes.ts'
import type { Target } from './targets.ts'

/** The floor: nginx as a reverse proxy in one process. Undefined where it is not installed. */
export async function startNginx(vendorOrigin: string, directory: string): Promise<Target | undefined> {
  // Its CPU time is read from Linux; elsewhere there is nothing to read it from.
  if (!existsSync('/proc/self/schedstat')) return undefined
  const port = await freePort()
  const config = join(directory, `nginx-${port}.conf`)
  writeFileSync(config, configuration(port, new URL(vendorOrigin).host, directory))
  const parameters = ['-p', directory, '-c', config, '-e', 'stderr']
  const child = owned(spawn('nginx', parameters, { stdio: ['ignore', 'ignore', 'inherit'] }))
  let missing = false
  child.once('error', () => (missing = true))
  for (let tries = 0; !(await answers(port)); tries += 1) {
    if (missing || child.exitCode !== null || tries === 100) {
      await (missing ? undefined : endOf(child))
      return undefined
    }
    await sleep(20)
  }
  const pid = child.pid as number
  return {
    kind: 'nginx',
    origin: `http://127.0.0.1:${port}`,
    key: 'none',
    usage: async () => usageOf(pid),
    stop: () => endOf(child),
  }
}

/** One process, master and worker at once: it is ended by its handle and leaves nobody behind. */
function configuration(port: number, vendor: string, directory: string): string {
  const paths = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi']
  return `
daemon off;
master_process off;
worker_processes 1;
worker_rlimit_nofile 8192;
pid ${join(directory, `nginx-${port}.pid`)};
events { worker_connections 4096; }
http {
  access_log off;
  ${paths.map((name) => `${name}_temp_path ${join(directory, name)};`).join('\n  ')}
  client_max_body_size 64m;
  client_body_buffer_size 1m;
  keepalive_requests 1000000;
  keepalive_timeout 120s;
  upstream vendor { server ${vendor}; keepalive 1024; keepalive_requests 1000000; }
  server {
    listen 127.0.0.1:${port} backlog=1024;
    location / {
      proxy_pass http://vendor;
      proxy_http_version 1.1;
      proxy_set_header Connection "";
      proxy_buffering off;
      proxy_request_buffering off;
    }
  }
}
`
}

/** nginx cannot be told to take any free port, so one is looked for and given back just before. */
async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  return port
}

function answers(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1')
    socket.once('connect', () => socket.destroy())
    socket.once('error', () => resolve(false))
    socket.once('close', (failed) => resolve(!failed))
  })
}

/** What Linux says of a process: its time on a CPU in nanoseconds (one thread is all that nginx has) and its memory. */
function usageOf(pid: number): Usage {
  const nanoseconds = Number(readFileSync(`/proc/${pid}/schedstat`, 'utf8').split(' ', 1)[0])
  const kilobytes = /^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))
  return { cpuMicroseconds: nanoseconds / 1000, rssBytes: Number(kilobytes?.[1]) * 1024 }
}
