import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import sharp from 'sharp';
import type { PreviewJob } from '../../src/job/previewJob.types.ts';
import { eventually } from './eventually.ts';
import { smallJob } from './smallJob.ts';

export interface PictureServer {
  /** What it answers with, a PNG. */
  picture: Buffer;
  /** The paths that were asked for, in order, without the slash in front. */
  asked: string[];
  /**
   * A job with one picture: `there/x`; `away/3/x`, which fails three times and is there at the fourth; `broken/x`, which is
   * no picture; or `held/x`, which comes when the test lets it go.
   */
  jobWith(path: string, jobId: string, rest?: Partial<PreviewJob>): PreviewJob;
  /** Waits until somebody waits for that picture. */
  isHeld(path: string): Promise<void>;
  letGo(path: string): void;
  close(): Promise<void>;
}

/** A real HTTP server on a free port of this machine that answers as the path tells it. */
export async function startPictureServer(): Promise<PictureServer> {
  const picture = await sharp({ create: { width: 32, height: 18, channels: 3, background: 'teal' } })
    .png()
    .toBuffer();
  const asked: string[] = [];
  const held = new Map<string, () => void>();
  const server = createServer(({ url = '' }, response) => {
    const path = url.slice(1);
    asked.push(path);
    const [kind, count] = path.split('/');
    const calls = asked.filter((earlier) => earlier === path).length;
    if (kind === 'held') {
      held.set(path, () => response.end(picture));
      response.once('close', () => held.delete(path));
    } else if (kind === 'away' && calls <= Number(count)) response.writeHead(503).end();
    else response.end(kind === 'broken' ? 'This is no picture.' : picture);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    picture,
    asked,
    jobWith: (path, jobId, rest) =>
      smallJob(
        jobId,
        {
          steps: [{ title: 'One picture', asset: 'photo' }],
          assets: [{ id: 'photo', type: 'image', url: `http://127.0.0.1:${port}/${path}` }],
        },
        rest,
      ),
    async isHeld(path) {
      await eventually(async () => held.has(path) || undefined, `a call for ${path}`);
    },
    letGo: (path) => held.get(path)?.(),
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
