import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type ClusterProcess, startProcess } from '../support/cluster.ts';
import { eventually } from '../support/eventually.ts';
import { keepSecret } from '../support/suiteLog.ts';

const OLD = 'old-key-0123456789abcdef';
const NEW = 'new-key-0123456789abcdef';
const SIGNING = 's'.repeat(40);

describe('SIGHUP, while the service runs', () => {
  let folder = '';
  let service: ClusterProcess;
  let url = '';

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'preview-reload-'));
    await writeFile(join(folder, 'keys'), `docs:${OLD}\n`);
    await writeFile(join(folder, 'signing'), `k1:${SIGNING}\n`);
    service = await startProcess('serve', {
      DATA_DIR: join(folder, 'data'),
      PORT: '0',
      PREVIEW_API_KEYS: `@${join(folder, 'keys')}`,
      PREVIEW_SIGNING_KEYS: `@${join(folder, 'signing')}`,
    });
    url = service.url;
    for (const secret of [OLD, NEW, SIGNING]) keepSecret('a key of a file', secret);
  });

  afterAll(async () => {
    await service.stop();
    await rm(folder, { recursive: true, force: true });
  });

  const statusWith = async (key: string): Promise<number> => {
    const headers = { authorization: `Bearer ${key}` };
    return (await fetch(`${url}/api/preview/queue/metrics`, { headers })).status;
  };
  /** Sends the signal, and waits for the line that it leads to. */
  const hangUp = (message: string): Promise<Record<string, unknown>> => {
    const { lines } = service;
    const seen = lines.length;
    service.signal('SIGHUP');
    return eventually(
      async () => lines.slice(seen).find(({ msg }) => String(msg).includes(message)),
      message,
    );
  };

  test('keys of the file that has changed open the service, and those that are gone do not', async () => {
    expect([await statusWith(OLD), await statusWith(NEW)]).toEqual([200, 401]);
    await writeFile(join(folder, 'keys'), `docs:${NEW}\n`);
    await hangUp('keys and secrets read again');
    expect([await statusWith(OLD), await statusWith(NEW)]).toEqual([401, 200]);
  });

  test.each([
    ['of a key that is too short', 'docs:short\n', 'at least 16 bytes'],
    ['that is empty', '\n', 'the file is empty'],
  ])('a file %s changes nothing, and the log says why without a key', async (_, text, why) => {
    await writeFile(join(folder, 'keys'), text);
    const line = await hangUp('stay as they were');
    expect(line).toMatchObject({ level: 'error', problem: expect.stringContaining(why) });
    expect(await statusWith(NEW)).toBe(200);
    expect(await statusWith('')).toBe(401);
    expect(JSON.stringify(service.lines)).not.toContain(NEW);
    await writeFile(join(folder, 'keys'), `docs:${NEW}\n`);
  });

  test('a URL that the old signing key signed is good as long as the key stands behind the new one', async () => {
    const headers = { authorization: `Bearer ${NEW}`, 'content-type': 'application/json' };
    const job = {
      ...{ jobId: 'rotation', projectId: 'docs', requestId: 'r', dryRun: false },
      previewRequest: { steps: [], assets: [], audio: {}, options: { resolution: '320x180', fps: 10 } },
    };
    await fetch(`${url}/api/preview/job`, { method: 'POST', headers, body: JSON.stringify(job) });
    const signed = (): Promise<string> =>
      eventually(async () => {
        const answer = await fetch(`${url}/api/preview/job/rotation/artifact?name=poster.jpg`, { headers });
        return answer.status === 200 ? ((await answer.json()) as { url: string }).url : undefined;
      }, 'the artifact');
    const before = await signed();
    expect(before).toContain('kid=k1');
    await writeFile(join(folder, 'signing'), `k2:${'t'.repeat(40)}\nk1:${SIGNING}\n`);
    await hangUp('keys and secrets read again');
    const after = await signed();
    expect(after).toContain('kid=k2');
    for (const path of [before, after]) expect((await fetch(url + path)).status).toBe(200);
    await writeFile(join(folder, 'signing'), `k2:${'t'.repeat(40)}\n`);
    await hangUp('keys and secrets read again');
    expect((await fetch(url + before)).status).toBe(403);
    expect((await fetch(url + after)).status).toBe(200);
  });
});
