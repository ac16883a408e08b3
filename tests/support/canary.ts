import { type AddressInfo, connect, createServer } from 'node:net';

/** Listens on every address of this machine and writes down who comes. */
export interface Canary {
  port: number;
  /** The addresses at which connections arrived, without those that the test opened on purpose. */
  seen: string[];
  close(): Promise<void>;
}

/** @param opened addresses at which connections are expected, and not written down */
export async function startCanary(opened: readonly string[] = []): Promise<Canary> {
  const seen: string[] = [];
  const server = createServer((socket) => {
    const address = (socket.localAddress ?? '').replace(/^::ffff:/, '');
    if (!opened.includes(address)) seen.push(address);
    socket.on('error', () => undefined).resume();
    socket.end('HTTP/1.1 204 No Content\r\nconnection: close\r\n\r\n');
  });
  await new Promise<void>((resolve) => server.listen(0, '::', resolve));
  return {
    port: (server.address() as AddressInfo).port,
    seen,
    close: () => new Promise((resolve) => server.close(() => resolve())),
  };
}

/** Connects to an address, to show that the canary hears it. */
export function knock(address: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, address, () => socket.resume());
    socket.on('close', () => resolve()).on('error', reject);
  });
}
