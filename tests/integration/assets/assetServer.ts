import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface AssetServer {
  /** `http://address:port`, without a slash at the end. */
  url: string;
  port: number;
  /** The paths that were asked for, in order. */
  requests: string[];
  /** How many connections were made, also those on which nothing was asked. */
  connections(): number;
  close(): Promise<void>;
}

/** A real HTTP server on a loopback address and a free port. */
export async function startAssetServer(answer: RequestListener, address = '127.0.0.1'): Promise<AssetServer> {
  const requests: string[] = [];
  let connections = 0;
  const server = createServer((request, response) => {
    requests.push(request.url ?? '');
    answer(request, response);
  });
  server.on('connection', () => {
    connections += 1;
  });
  await new Promise<void>((resolve) => server.listen(0, address, resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://${address}:${port}`,
    port,
    requests,
    connections: () => connections,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
