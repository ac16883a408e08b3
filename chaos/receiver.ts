import { createHmac } from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

/** What the fleet told of the end of a job by webhook. */
export interface Told {
  /** `webhook-id` of each message; more than one means that the job is said to have ended more than once. */
  ids: Set<string>;
  /** `preview.completed`, `preview.failed` or `preview.cancelled`. */
  types: Set<string>;
  times: number;
}

export interface Receiver {
  url: string;
  /** As PREVIEW_WEBHOOK_SECRETS of the fleet. */
  secret: string;
  told: ReadonlyMap<string, Told>;
  /** Messages that were not signed by the fleet. */
  unsigned: string[];
  close(): void;
}

const SECRET = Buffer.alloc(32, 'chaos');

/** Hears how jobs ended, as the one who sent them would, and checks that it is the fleet who says so. */
export async function startReceiver(): Promise<Receiver> {
  const told = new Map<string, Told>();
  const unsigned: string[] = [];
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    try {
      for await (const chunk of request) chunks.push(chunk);
    } catch {
      // Its sender was killed in the middle; the message comes again.
      return;
    }
    const body = Buffer.concat(chunks).toString();
    const id = String(request.headers['webhook-id']);
    const signed = `${id}.${request.headers['webhook-timestamp']}.${body}`;
    const signature = `v1,${createHmac('sha256', SECRET).update(signed).digest('base64')}`;
    if (request.headers['webhook-signature'] !== signature) unsigned.push(body);
    else {
      const { type, data } = JSON.parse(body) as { type: string; data: { jobId: string } };
      const known = told.get(data.jobId) ?? { ids: new Set(), types: new Set(), times: 0 };
      told.set(data.jobId, known);
      known.ids.add(id);
      known.types.add(type);
      known.times++;
    }
    response.writeHead(204).end();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/ended`,
    secret: `whsec_${SECRET.toString('base64')}`,
    told,
    unsigned,
    close() {
      server.close();
      server.closeAllConnections();
    },
  };
}
