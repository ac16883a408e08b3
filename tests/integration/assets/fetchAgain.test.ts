import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import sharp from 'sharp';
import { Agent } from 'undici';
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { createAssetFetcher } from '../../../src/assets/fetchAsset.ts';
import { resolveAssets } from '../../../src/assets/resolveAssets.ts';
import type { ArtifactStore } from '../../../src/storage/artifactStore.ts';
import { createFsStore } from '../../../src/storage/folder/fsStore.ts';
import { smallJob } from '../../support/service.ts';
import { type AssetServer, startAssetServer } from './assetServer.ts';

const picture = (background: string): Promise<Buffer> =>
  sharp({ create: { width: 8, height: 8, channels: 3, background } })
    .png()
    .toBuffer();
const DATE = 'Sun, 01 Feb 2026 10:00:00 GMT';

describe('an asset of which only the address is known', () => {
  const agent = new Agent();
  let folder: string;
  let store: ArtifactStore;
  let server: AssetServer;
  /** What is served, and the statuses that were answered. */
  let served: { bytes: Buffer; etag: string };
  const statuses: number[] = [];

  beforeAll(async () => {
    server = await startAssetServer(({ url, headers }, response) => {
      const validators: Record<string, Record<string, string>> = {
        '/tagged': { etag: served.etag },
        '/dated': { 'last-modified': DATE },
        '/weak': { etag: `W/${served.etag}` },
        '/always': { etag: served.etag },
      };
      const isSame =
        url === '/always' ||
        (headers['if-none-match'] ?? '') === served.etag ||
        headers['if-modified-since'] === DATE;
      statuses.push(isSame ? 304 : 200);
      response.writeHead(isSame ? 304 : 200, validators[url ?? '']).end(isSame ? undefined : served.bytes);
    });
  });
  afterAll(async () => {
    await agent.destroy();
    await server.close();
  });
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'preview-again-'));
    store = await createFsStore(folder);
    served = { bytes: await picture('teal'), etag: '"one"' };
    statuses.length = 0;
    return () => rm(folder, { recursive: true });
  });

  const load = async (path: string, projectId = 'docs') => {
    const job = smallJob('again', {
      steps: [{ asset: 'photo' }],
      assets: [{ id: 'photo', type: 'image', url: `${server.url}${path}` }],
    });
    const [asset] = await resolveAssets(
      { ...job, projectId },
      {
        store,
        fetcher: createAssetFetcher(agent, 10_000),
        maxBytes: 1_000_000,
        signal: new AbortController().signal,
      },
    );
    return asset?.sha256;
  };

  it.each(['/tagged', '/dated'])(
    'is downloaded once where the server can say that it is the same: %s',
    async (path) => {
      const first = await load(path);
      expect(await load(path)).toBe(first);
      expect(statuses).toEqual([200, 304]);
    },
  );

  it('is downloaded anew when it has changed', async () => {
    const first = await load('/tagged');
    served = { bytes: await picture('orange'), etag: '"two"' };
    expect(await load('/tagged')).not.toBe(first);
    await load('/tagged');
    expect(statuses).toEqual([200, 200, 304]);
  });

  it.each(['/plain', '/weak'])(
    'is downloaded again where the server cannot say so, but not within a minute: %s',
    async (path) => {
      const first = await load(path);
      expect(await load(path)).toBe(first);
      expect(statuses).toEqual([200]);
      vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + 61_000 });
      try {
        served = { bytes: await picture('orange'), etag: '"two"' };
        expect(await load(path)).not.toBe(first);
      } finally {
        vi.useRealTimers();
      }
      expect(statuses).toEqual([200, 200]);
    },
  );

  it('is not given to another project, which must be able to download it itself', async () => {
    await load('/tagged');
    await load('/tagged', 'others');
    expect(statuses).toEqual([200, 200]);
  });

  it('is an error where a server says that it is the same as what nobody has', async () => {
    await expect(load('/always')).rejects.toMatchObject({ code: 'asset_unreachable' });
  });
});
