/**
 * Sends jobs over a number of connections for a while, each connection one at a time, and prints what it saw as JSON.
 * A process of its own, so that what it costs is not taken from the server's event loop.
 *
 *     node --import tsx bench/queue/load.ts <url> <connections> <seconds> <name>
 */
import { Client } from 'undici';
import { quantile } from '../measure.ts';
import { draftJob } from './draftJob.ts';
import { keyOf, PROJECTS } from './projects.ts';

const [url = '', connections = '50', seconds = '3', name = 'load'] = process.argv.slice(2);
const until = performance.now() + Number(seconds) * 1000;
/** Milliseconds that each accepted job took. */
const latencies: number[] = [];
const answers: Record<string, number> = {};
let sent = 0;

async function connection(projectId: string): Promise<void> {
  const client = new Client(url);
  const headers = { 'content-type': 'application/json', authorization: `Bearer ${keyOf(projectId)}` };
  while (performance.now() < until) {
    const body = JSON.stringify(draftJob(projectId, `${name}-${sent++}`));
    const started = performance.now();
    const answer = await client.request({ path: '/api/preview/job', method: 'POST', headers, body });
    await answer.body.dump();
    if (answer.statusCode === 202) latencies.push(performance.now() - started);
    answers[answer.statusCode] = (answers[answer.statusCode] ?? 0) + 1;
  }
  await client.close();
}

const started = performance.now();
const projects = Array.from({ length: Number(connections) }, (_, i) => PROJECTS[i % PROJECTS.length] ?? '');
await Promise.all(projects.map(connection));
const elapsed = (performance.now() - started) / 1000;
console.log(
  JSON.stringify({
    perSecond: latencies.length / elapsed,
    p50Ms: quantile(latencies, 0.5),
    p99Ms: quantile(latencies, 0.99),
    answers,
  }),
);
