import {
  type Attributes,
  type Context,
  type Span as OtelSpan,
  ROOT_CONTEXT,
  SpanKind,
  SpanStatusCode,
  type Tracer,
  trace,
} from '@opentelemetry/api';

/** A span of work in a trace. Times are milliseconds since the epoch, by default now. */
export interface Span {
  /** The W3C trace context with which another process continues the trace; undefined if nothing is traced. */
  readonly traceparent: string | undefined;
  child(name: string, options?: { at?: number; attributes?: Attributes }): Span;
  set(attributes: Attributes): void;
  /** With an error the span counts as failed. */
  end(options?: { at?: number; error?: unknown }): void;
}

export interface Tracing {
  /** Begins a span, in the trace of `parent` (a W3C traceparent) or in one of its own. */
  start(
    name: string,
    options: {
      kind: 'server' | 'consumer';
      parent?: string | undefined;
      attributes?: Attributes;
      at?: number;
    },
  ): Span;
  /** Sends the spans that have not been sent yet. */
  close(): Promise<void>;
}

const silentSpan: Span = {
  traceparent: undefined,
  child: () => silentSpan,
  set: () => undefined,
  end: () => undefined,
};

/** Traces nothing. */
export const noTracing: Tracing = { start: () => silentSpan, close: async () => undefined };

/** Sends traces to an OpenTelemetry collector, over HTTP. @param endpoint as in OTEL_EXPORTER_OTLP_ENDPOINT */
export async function createTracing(endpoint: string, version: string): Promise<Tracing> {
  // Loaded only when tracing is on.
  const { BasicTracerProvider, BatchSpanProcessor } = await import('@opentelemetry/sdk-trace-base');
  const { OTLPTraceExporter } = await import('@opentelemetry/exporter-trace-otlp-http');
  const { resourceFromAttributes } = await import('@opentelemetry/resources');
  const exporter = new OTLPTraceExporter({ url: `${endpoint.replace(/\/+$/, '')}/v1/traces` });
  const provider = new BasicTracerProvider({
    resource: resourceFromAttributes({ 'service.name': 'preview-worker', 'service.version': version }),
    spanProcessors: [new BatchSpanProcessor(exporter)],
  });
  const tracer = provider.getTracer('preview-worker', version);
  return {
    start(name, { kind, parent, attributes = {}, at }) {
      const options = { kind: kind === 'server' ? SpanKind.SERVER : SpanKind.CONSUMER, attributes };
      return spanOf(tracer, tracer.startSpan(name, { ...options, ...timed(at) }, contextOf(parent)));
    },
    // A collector that is away must not keep the service from stopping.
    close: () => provider.shutdown().catch(() => undefined),
  };
}

/** Runs `work` in a span of its own, which ends with it. */
export async function inSpan<Result>(
  parent: Span,
  name: string,
  work: (span: Span) => Promise<Result>,
): Promise<Result> {
  const span = parent.child(name);
  try {
    const result = await work(span);
    span.end();
    return result;
  } catch (error) {
    span.end({ error });
    throw error;
  }
}

function spanOf(tracer: Tracer, span: OtelSpan): Span {
  const { traceId, spanId, traceFlags } = span.spanContext();
  const context = trace.setSpan(ROOT_CONTEXT, span);
  return {
    traceparent: `00-${traceId}-${spanId}-${traceFlags.toString(16).padStart(2, '0')}`,
    child: (name, { at, attributes = {} } = {}) =>
      spanOf(tracer, tracer.startSpan(name, { attributes, ...timed(at) }, context)),
    set: (attributes) => void span.setAttributes(attributes),
    end({ at, error } = {}) {
      if (error !== undefined) {
        const message = error instanceof Error ? error.message : String(error);
        span.setStatus({ code: SpanStatusCode.ERROR, message });
      }
      span.end(at);
    },
  };
}

const timed = (at: number | undefined) => (at === undefined ? {} : { startTime: at });

/** https://www.w3.org/TR/trace-context/#traceparent-header; what is not one begins a trace of its own. */
function contextOf(traceparent: string | undefined): Context {
  const [, traceId, spanId, flags] =
    /^00-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})$/.exec(traceparent ?? '') ?? [];
  if (!traceId || !spanId || !flags) return ROOT_CONTEXT;
  return trace.setSpanContext(ROOT_CONTEXT, {
    traceId,
    spanId,
    traceFlags: Number.parseInt(flags, 16) & 1,
    isRemote: true,
  });
}
