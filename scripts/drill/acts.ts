import type { PreviewJob } from '../../src/job/previewJob.types.ts';
import type { Stage } from './stage.ts';

const START_REDIS =
  'redis-server --port $REDIS_PORT --bind 127.0.0.1 --appendonly yes --appendfsync always --maxmemory-policy noeviction >> redis.log 2>&1 & echo $! > redis.pid';
const startWorker = (name: 'a' | 'b'): string =>
  `PREVIEW_WORKER_PORT=$PORT_${name.toUpperCase()} preview-worker worker >> worker-${name}.log 2>&1 & echo $! > worker-${name}.pid`;
const HEALTH = `curl -s -H "Authorization: Bearer $KEY" $API/api/preview/worker/health`;
const CHECKS = `${HEALTH} | grep -o '{"name":"[a-z]*","ok":false[^}]*}'`;

/** Starts everything, each thing as one would by hand. */
export async function start(stage: Stage): Promise<void> {
  stage.quietly(START_REDIS);
  await stage.until('Redis', () =>
    stage.quietly('redis-cli -u $REDIS_URL ping') === 'PONG' ? true : undefined,
  );
  stage.quietly('preview-worker api >> api.log 2>&1 & echo $! > api.pid');
  stage.quietly(startWorker('a'));
  stage.quietly(startWorker('b'));
  stage.quietly(
    'prometheus --config.file=prometheus.json --storage.tsdb.path=tsdb --web.listen-address=127.0.0.1:$PROMETHEUS_PORT >> prometheus.log 2>&1 & echo $! > prometheus.pid',
  );
  await stage.until('the API', async () => (await reached(stage, '/readyz')) || undefined);
  await stage.until('both workers', async () => {
    const health = (await (await stage.api('/api/preview/worker/health')).json()) as { workers: unknown[] };
    return health.workers.length === 2 || undefined;
  });
  await stage.until('Prometheus', () =>
    stage.quietly('curl -s $PROMETHEUS/-/ready').includes('Ready') ? true : undefined,
  );
  await post(stage, 'warm', 1);
  await ended(stage, 'warm');
}

export async function workerDies(stage: Stage): Promise<void> {
  stage.say('A job of 60 steps is being rendered. The worker that has it is killed (SIGKILL).');
  await post(stage, 'long', 60);
  const name = await stage.until('the start of the job', () => startedBy(stage, 'long'));
  stage.type(`kill -9 $(cat worker-${name}.pid)`);
  await stage.fires('PreviewProcessDown');
  await stage.shows('Processes that answer');
  stage.type(`grep -c . worker-${name}.log; tail -1 worker-${name}.log | cut -c1-160`);
  stage.type(startWorker(name));
  await stage.ends('PreviewProcessDown');
  await ended(stage, 'long');
  stage.type(
    `grep -h '"msg":"job \\(started\\|completed\\)"' worker-?.log | grep '"jobId":"long"' | grep -o '"time":"[^"]*"\\|"attempt":[0-9]*\\|"msg":"[^"]*"' | paste - - -`,
  );
  stage.type(`${STATUS}/long/status | grep -o '"status":"[a-z]*"\\|"attemptsMade":[0-9]*'`);
}

export async function redisRestarts(stage: Stage): Promise<void> {
  stage.say('Two jobs are sent, and Redis is killed while they wait and run.');
  await post(stage, 'before-1', 20);
  await post(stage, 'before-2', 20);
  stage.type('kill -9 $(cat redis.pid)');
  await stage.fires('PreviewQueueUnreachable');
  await stage.shows('Processes without the queue');
  stage.type('redis-cli -u $REDIS_URL ping');
  stage.type(CHECKS);
  stage.type(
    `curl -s -o /dev/null -w '%{http_code}\\n' -H "Authorization: Bearer $KEY" -H 'content-type: application/json' -d '${JSON.stringify(jobOf('refused', 0))}' $API/api/preview/job`,
  );
  stage.type(START_REDIS);
  await stage.ends('PreviewQueueUnreachable');
  for (const id of ['before-1', 'before-2']) await ended(stage, id);
  stage.type(`for job in before-1 before-2; do ${STATUS}/$job/status | grep -o '"status":"[a-z]*"'; done`);
}

export async function queueFills(stage: Stage): Promise<void> {
  stage.say('Both workers are stopped, and twelve jobs are sent to a queue of ten.');
  stage.quietly('kill $(cat worker-a.pid) $(cat worker-b.pid)');
  await stage.until('the end of the workers', () =>
    stage.quietly('kill -0 $(cat worker-a.pid) $(cat worker-b.pid)').includes('o such process')
      ? true
      : undefined,
  );
  const answers: number[] = [];
  for (let i = 0; i < 12; i++) answers.push(await post(stage, `many-${i}`, 2));
  console.log(`The answers: ${answers.join(' ')}`);
  await stage.fires('PreviewQueueNearlyFull');
  await stage.fires('PreviewNoWorker');
  await stage.shows('Full');
  await stage.shows('Jobs by state');
  stage.type(CHECKS);
  stage.type(`curl -s -H "Authorization: Bearer $KEY" $API/api/preview/queue/metrics`);
  stage.type(startWorker('a'));
  stage.type(startWorker('b'));
  await stage.ends('PreviewNoWorker');
  await stage.ends('PreviewQueueNearlyFull');
  for (let i = 0; i < 10; i++) await ended(stage, `many-${i}`);
  await stage.shows('Full');
}

export async function poisonArrives(stage: Stage): Promise<void> {
  stage.say('An upload begins like a picture but is none. A job shows it.');
  const upload = stage.type(
    `printf '\\211PNG\\r\\n\\032\\nand no picture' | curl -s -H "Authorization: Bearer $KEY" --data-binary @- $API/api/assets`,
  );
  const { sha256 } = JSON.parse(upload) as { sha256: string };
  const job = jobOf('poison', 0);
  job.previewRequest.steps = [{ title: 'A picture', asset: 'picture' }];
  job.previewRequest.assets = [{ id: 'picture', type: 'image', upload: sha256 }];
  await send(stage, job);
  await stage.fires('PreviewDeadLettersGrowing');
  await stage.fires('PreviewFailureRateHigh');
  await stage.shows('Dead letters');
  await stage.shows('Jobs that fail');
  stage.type('preview-worker dead-letter list');
  stage.type(`grep -h '"msg":"job failed"' worker-?.log | grep -o '"code":"[a-z_]*"' | sort | uniq -c`);
  stage.say('Nothing can be repaired: the sender must send another picture. The dead letter is discarded.');
  stage.type('preview-worker dead-letter discard poison');
  await stage.ends('PreviewDeadLettersGrowing');
  await stage.shows('Dead letters');
}

export async function diskFills(stage: Stage): Promise<void> {
  stage.say('Something else fills the disk of the store.');
  stage.type('df -h --output=size,avail,pcent $DATA_DIR');
  stage.quietly('fallocate -l $(df --output=avail -B1 $DATA_DIR | tail -1) $DATA_DIR/core.1234');
  await stage.fires('PreviewStoreNearlyFull');
  await stage.shows('Free in the store');
  stage.type(CHECKS);
  stage.type(
    `curl -s -H "Authorization: Bearer $KEY" -H 'content-type: application/json' -d '${JSON.stringify(jobOf('no-room', 0))}' $API/api/preview/job`,
  );
  stage.type('du -sh $DATA_DIR/* | sort -h');
  stage.type('rm $DATA_DIR/core.1234');
  await stage.ends('PreviewStoreNearlyFull');
  console.log(`The job that was refused, sent again: ${await post(stage, 'no-room', 0)}`);
  await ended(stage, 'no-room');
}

export async function keysRotate(stage: Stage): Promise<void> {
  stage.say('An API key and a signing key are replaced, without locking anybody out.');
  const url = stage.quietly(
    `${STATUS}/warm/artifact?name=preview.mp4 | sed 's/.*"url":"\\([^"]*\\)".*/\\1/'`,
  );
  const said = (count: number) => () =>
    stage.quietly(`grep -c 'keys and secrets read again' api.log`) === String(count) ? true : undefined;
  stage.type('echo docs:second-key-of-the-drill-0002 >> keys');
  stage.type(`printf 'k2:%s\\n' $(openssl rand -hex 24) | cat - signing-keys > new && mv new signing-keys`);
  stage.type('kill -HUP $(cat api.pid)');
  await stage.until('the reading of the keys', said(1));
  const answers = `for key in first-key-of-the-drill-0001 second-key-of-the-drill-0002; do curl -s -o /dev/null -w '%{http_code} ' -H "Authorization: Bearer $key" $API/api/preview/queue/metrics; done; echo`;
  stage.type(answers);
  const download = `curl -s -o /dev/null -w '%{http_code}\\n' "$API${url}"`;
  stage.say('A URL that was signed before:');
  stage.type(download);
  stage.say(
    'All senders have the new key, and the old URLs have expired (PREVIEW_URL_TTL_SECONDS). The old keys go.',
  );
  stage.type('sed -i /first-key/d keys && sed -i /^k1:/d signing-keys && kill -HUP $(cat api.pid)');
  await stage.until('the reading of the keys', said(2));
  stage.type(answers);
  stage.type(download);
  await stage.ends('PreviewFailureRateHigh');
  await stage.ends('PreviewErrorBudgetBurnsSlowly');
  stage.say(`Alerts that fire: ${(await stage.firing()).join(', ') || 'none'}.`);
}

const STATUS = 'curl -s -H "Authorization: Bearer $KEY" $API/api/preview/job';

/** The words of each job are its own, so nothing of another one is reused. */
function jobOf(jobId: string, steps: number): PreviewJob {
  return {
    jobId,
    projectId: 'docs',
    requestId: `drill-${jobId}`,
    dryRun: false,
    previewRequest: {
      title: `Drill ${jobId}`,
      steps: Array.from({ length: steps }, (_, i) => ({
        title: `${jobId}, step ${i + 1}`,
        durationSeconds: 3,
        transition: { type: 'wipe', durationSeconds: 0.5 },
      })),
      assets: [],
      audio: {},
      options: { resolution: '1280x720' },
    },
  };
}

const post = (stage: Stage, jobId: string, steps: number): Promise<number> =>
  send(stage, jobOf(jobId, steps));

async function send(stage: Stage, job: PreviewJob): Promise<number> {
  const headers = { 'content-type': 'application/json' };
  const answer = await stage.api('/api/preview/job', { method: 'POST', headers, body: JSON.stringify(job) });
  return answer.status;
}

async function ended(stage: Stage, jobId: string): Promise<void> {
  await stage.until(`the end of job ${jobId}`, async () => {
    const answer = await stage.api(`/api/preview/job/${jobId}/status`).catch(() => undefined);
    const { status, error } = ((await answer?.json()) ?? {}) as { status?: string; error?: unknown };
    if (status === 'failed') throw new Error(`job ${jobId} failed: ${JSON.stringify(error)}`);
    return status === 'completed' ? true : undefined;
  });
}

const reached = (stage: Stage, path: string): Promise<boolean> =>
  stage.api(path).then(
    ({ ok }) => ok,
    () => false,
  );

function startedBy(stage: Stage, jobId: string): 'a' | 'b' | undefined {
  const lines = stage.quietly(`grep -l '"jobId":"${jobId}".*"msg":"job started"' worker-a.log worker-b.log`);
  const name = /worker-([ab])\.log/.exec(lines)?.[1];
  return name === 'a' || name === 'b' ? name : undefined;
}
