import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Service, smallJob, startService } from '../support/service.ts';
import { type CollectedSpan, startTraceCollector, type TraceCollector } from '../support/traceCollector.ts';

const CALLER = { traceId: '0af7651916cd43dd8448eb211c80319c', spanId: 'b7ad6b7169203331' };

describe('with a collector', () => {
  let collector: TraceCollector;
  let service: Service;
  let spans: CollectedSpan[];

  beforeAll(async () => {
    collector = await startTraceCollector();
    service = await startService({ OTEL_EXPORTER_OTLP_ENDPOINT: collector.url });
    const job = smallJob('traced', { steps: [{ title: 'One' }, { title: 'Two' }] });
    await fetch(`${service.url}/api/preview/job`, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        traceparent: `00-${CALLER.traceId}-${CALLER.spanId}-01`,
      },
      body: JSON.stringify(job),
    });
    await service.ended('traced');
    await service.post('/api/preview/job', smallJob('alone'));
    await service.ended('alone');
    await service.get('/livez');
    // What was not sent yet is sent when the service stops.
    await service.stop();
    spans = collector.spans.filter(({ traceId }) => traceId === CALLER.traceId);
  });

  afterAll(() => collector.stop());

  const named = (name: string): CollectedSpan => {
    const found = spans.filter((span) => span.name === name);
    expect(found, name).toHaveLength(1);
    return found[0] as CollectedSpan;
  };
  const attributes = ({ attributes: list }: CollectedSpan): Record<string, unknown> =>
    Object.fromEntries(list.map(({ key, value }) => [key, Object.values(value)[0]]));

  it('a job is one trace, from the call of its sender to every part of its render', () => {
    const post = named('POST /api/preview/job');
    expect(post.parentSpanId).toBe(CALLER.spanId);
    expect(named('wait in the queue').parentSpanId).toBe(post.spanId);
    const attempt = named('attempt');
    expect(attempt.parentSpanId).toBe(post.spanId);
    expect(named('assets').parentSpanId).toBe(attempt.spanId);
    const render = named('render');
    expect(render.parentSpanId).toBe(attempt.spanId);
    const parts = spans.filter(({ name }) => name.startsWith('part '));
    for (const part of parts) expect(part.parentSpanId).toBe(render.spanId);
    // Title card and two steps.
    expect(parts.filter(({ name }) => name === 'part segment')).toHaveLength(3);
    expect(parts.map(({ name }) => name)).toContain('part movie');
  });

  it('its spans say what was asked, which attempt it was, and what was made', () => {
    expect(attributes(named('POST /api/preview/job'))).toMatchObject({
      'http.request.method': 'POST',
      'http.route': '/api/preview/job',
      'http.response.status_code': 202,
    });
    expect(attributes(named('attempt'))).toMatchObject({
      'preview.queue_id': 'tests~traced',
      'preview.attempt': 1,
      'preview.outcome': 'completed',
    });
    expect(attributes(named('part movie'))).toMatchObject({
      'preview.part.key': expect.stringMatching(/^[0-9a-f]{64}$/),
      'preview.part.reused': false,
    });
  });

  it('the parts lie within the render, by their times', () => {
    const render = named('render');
    for (const part of spans.filter(({ name }) => name.startsWith('part '))) {
      // The child counts in whole milliseconds.
      expect(Number(part.startTimeUnixNano)).toBeGreaterThan(Number(render.startTimeUnixNano) - 2e6);
      expect(Number(part.endTimeUnixNano)).toBeLessThan(Number(render.endTimeUnixNano) + 2e6);
    }
  });

  it('a job without a caller’s trace has one of its own', () => {
    const [post, ...others] = collector.spans.filter(
      ({ name, traceId }) => name === 'POST /api/preview/job' && traceId !== CALLER.traceId,
    );
    expect(others).toEqual([]);
    const attempts = collector.spans.filter(
      ({ name, traceId }) => name === 'attempt' && traceId === post?.traceId,
    );
    expect(attempts).toHaveLength(1);
  });

  it('probes are not traced', () => {
    expect(collector.spans.filter(({ name }) => name.includes('livez'))).toEqual([]);
  });
});

describe('without a collector', () => {
  it('a job is rendered all the same, and where one is away the service stops in time', async () => {
    const service = await startService({ OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:9' });
    await service.post('/api/preview/job', smallJob('untraced'));
    expect(await service.ended('untraced')).toMatchObject({ status: 'completed' });
    const started = performance.now();
    await service.stop();
    expect(performance.now() - started).toBeLessThan(15_000);
  });
});
