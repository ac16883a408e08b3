import { connect, createServer, type Socket } from 'node:net';

/** An address that leads to another one, as that of a load balancer or of a service in a cluster. */
export interface Forwarder {
  port: number;
  /** Where new connections lead; those that are open stay as they are. */
  target: number;
  close(): Promise<void>;
}

/** @param target a port on 127.0.0.1 */
export function startForwarder(target: number): Promise<Forwarder> {
  const open = new Set<Socket>();
  const server = createServer((near) => {
    const far = connect(forwarder.target, '127.0.0.1');
    for (const [one, other] of [
      [near, far],
      [far, near],
    ] as const) {
      open.add(one);
      one.on('error', () => other.destroy());
      one.on('close', () => {
        open.delete(one);
        other.destroy();
      });
      one.pipe(other);
    }
  });
  const forwarder: Forwarder = {
    port: 0,
    target,
    async close() {
      for (const socket of open) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
  return new Promise((resolve) => {
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      forwarder.port = typeof address === 'object' && address ? address.port : 0;
      resolve(forwarder);
    });
  });
}
