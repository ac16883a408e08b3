import { Queue, QueueEvents, Worker } from 'bullmq';
import { Redis, type RedisOptions } from 'ioredis';
import type { Logger } from '../logger.ts';
import { COMMAND_TIMEOUT_MS, quiet, timed } from './connection.ts';
import { createEventReader } from './events/queueEvents.ts';
import type { QueueBackend } from './queueBackend.ts';

/**
 * A primary that has become a replica keeps its connections and refuses what is written: its successor is looked for at the
 * same address. Redis 6 and older name the reason within the message of a script.
 */
const isOfReplica = (error: Error): boolean => error.message.includes('READONLY');
/** To ioredis: connect anew, and send the command that was refused once more; a producer's fails, as while Redis is away. */
const RECONNECT_AND_RESEND = 2;

/**
 * A server that has said nothing for so long, in milliseconds, is connected to anew: where its machine is gone, nobody closes
 * the connection. Workers wait at most five seconds in one command, readers of events half a second.
 */
const SILENCE_MS = 15_000;

/** A key that is written to see whether Redis takes something in; BullMQ has none of that name. */
const PROBE_KEY = 'bull:probe';

export async function openRedis(url: string, logger: Logger): Promise<QueueBackend> {
  const connections: Redis[] = [];
  const connect = (options: RedisOptions): Redis => {
    const connection = new Redis(url, {
      socketTimeout: SILENCE_MS,
      ...options,
      retryStrategy: (times) => Math.min(1000, times * 100),
      reconnectOnError: (error) => isOfReplica(error) && RECONNECT_AND_RESEND,
    });
    connection.on('error', (error) => logger.debug({ err: error }, 'redis connection'));
    connections.push(connection);
    return connection;
  };
  const producer = connect({
    enableOfflineQueue: false,
    maxRetriesPerRequest: 1,
    commandTimeout: COMMAND_TIMEOUT_MS,
    socketTimeout: 2 * COMMAND_TIMEOUT_MS,
    lazyConnect: true,
  });
  // Without an offline queue nothing may be sent before the connection stands. Where Redis is away at the start, the
  // service starts all the same, answers 503, and recovers with it.
  await producer
    .connect()
    .catch((error: unknown) => logger.warn({ err: error }, 'redis is not reachable yet'));
  let consumer: Redis | undefined;
  return {
    kind: 'redis',
    redis: producer,
    queue: (name) => quiet(new Queue(name, { connection: producer }), logger),
    worker(name, processor, extra) {
      consumer ??= connect({ maxRetriesPerRequest: null });
      return quiet(new Worker(name, processor, { ...extra, connection: consumer }), logger);
    },
    watch: createEventReader((name, options) => {
      const connection = connect({ maxRetriesPerRequest: null });
      return {
        events: quiet(new QueueEvents(name, { connection, ...options }), logger),
        release() {
          connection.disconnect();
          connections.splice(connections.indexOf(connection), 1);
        },
      };
    }),
    isConnected: () => producer.status === 'ready',
    ping: () => timed(() => producer.set(PROBE_KEY, Date.now(), 'EX', 60)),
    async close() {
      for (const connection of connections) connection.disconnect();
    },
  };
}
